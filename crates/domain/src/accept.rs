//! Which of several representations a client would rather have: the header `Accept` (RFC 9110, section 12.5.1).

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
    fn of_equals_and_where_it_does_not_say_it_is_the_first() {
        for accept in
            ["", "*/*", "text/html, application/json", "image/png", "nonsense", ";;,/,q=1", "text/html;q=nan"]
        {
            assert_eq!(preferred(accept, &OFFERS), Some("text/html"), "{accept}");
        }
        assert_eq!(preferred("*/*", &[]), None);
    }
}
