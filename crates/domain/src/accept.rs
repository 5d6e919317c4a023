//! Which of several representations a client would rather have: the header `Accept` (RFC 9110, section 12.5.1).

use std::cmp::Ordering;

/// The one of `offers` that the client prefers: of equals, the first. Where it takes none of them, or says nothing that makes sense, it gets
/// the first as well: something readable is better than 406.
pub fn preferred<'a>(accept: &str, offers: &[&'a str]) -> Option<&'a str> {
    let mut best: Option<(&str, u16)> = None;
    for &offer in offers {
        let quality = quality(accept, offer);
        if best.is_none_or(|(_, other)| quality > other) {
            best = Some((offer, quality));
        }
    }
    best.map(|(offer, _)| offer)
}

/// How much a client wants a picture as WebP beside `other`, as which it is there, too: more, alike or less. `None` where it does not take WebP, or
/// does not name `image/webp` itself: ranges such as `*/*` and `image/*` are sent by clients that have never heard of it.
pub fn webp_beside(accept: &str, other: &str) -> Option<Ordering> {
    const WEBP: &str = "image/webp";
    let is_named =
        |range: &str| range.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case(WEBP));
    let wanted = quality(accept, WEBP);
    let takes = accept.split(',').any(is_named) && wanted > 0;
    takes.then(|| wanted.cmp(&quality(accept, other)))
}

/// How much a client wants a media type, in thousandths: that of the most specific range which it falls in.
fn quality(accept: &str, offer: &str) -> u16 {
    let of_kind = offer.split('/').next().unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next()?;
        let specificity = match media.split_once('/')? {
            ("*", "*") => 0,
            (kind, "*") if kind.eq_ignore_ascii_case(of_kind) => 1,
            _ if media.eq_ignore_ascii_case(offer) => 2,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((specificity, weight.map_or(1000, thousandths)))
    });
    ranges.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, weight)| weight)
}

/// A weight that makes no sense counts as none.
fn thousandths(weight: &str) -> u16 {
    let weight = weight.parse::<f32>().ok().filter(|weight| (0.0..=1.0).contains(weight));
    weight.map_or(0, |weight| (weight * 1000.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERS: [&str; 2] = ["text/html", "application/json"];

    #[test]
    fn the_client_gets_what_it_prefers() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
            ("application/json", "application/json"),
            ("APPLICATION/JSON", "application/json"),
            ("text/html;q=0.4, application/json;q=0.5", "application/json"),
            ("text/*;q=0.9, application/json;q=0.8", "text/html"),
            ("*/*;q=0.1, application/*", "application/json"),
            ("text/html;q=0, */*", "application/json"),
            ("text/html; charset=utf-8; q=0.1, application/json; q=0.2", "application/json"),
        ] {
            assert_eq!(preferred(accept, &OFFERS), Some(expected), "{accept}");
        }
    }

    #[test]
    fn webp_is_for_who_names_it_and_counts_as_much_as_is_said() {
        let (more, alike, less) = (Some(Ordering::Greater), Some(Ordering::Equal), Some(Ordering::Less));
        for (accept, beside_png, beside_jpeg) in [
            // Chromium, Firefox, Safari of today and of before 2020, curl, fetch().
            ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", alike, alike),
            ("image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", alike, more),
            (
                "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
                alike,
                more,
            ),
            ("image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5", None, None),
            ("*/*", None, None),
            ("image/*", None, None),
            ("", None, None),
            ("IMAGE/WEBP", more, more),
            ("image/webp;q=0", None, None),
            ("image/webp;q=0,*/*", None, None),
            ("image/webp;q=0.5,image/png", less, more),
            ("image/webp;q=0.5,image/png;q=0.5", alike, more),
            ("image/webp;q=0.5,image/*;q=0.6", less, less),
            ("image/webp;q=0.1", more, more),
            ("image/webp2", None, None),
        ] {
            let beside = ["image/png", "image/jpeg"].map(|other| webp_beside(accept, other));
            assert_eq!(beside, [beside_png, beside_jpeg], "{accept}");
        }
    }

    #[test]
    fn of_equals_and_where_it_does_not_say_it_is_the_first() {
        for accept in
            ["", "*/*", "text/html, application/json", "image/png", "nonsense", ";;,/,q=1", "text/html;q=nan"]
        {
            assert_eq!(preferred(accept, &OFFERS), Some("text/html"), "{accept}");
        }
        assert_eq!(preferred("*/*", &[]), None);
    }
}
