//! What options take, what they refuse, and what is filled in.

use super::*;
use crate::rgb::Rgb;

fn draft(pairs: &[(&str, &str)]) -> Result<Draft, OptionError> {
    let mut draft = Draft::new(2048);
    pairs.iter().try_for_each(|(name, value)| draft.set(name, value))?;
    Ok(draft)
}

fn options(pairs: &[(&str, &str)]) -> Options {
    draft(pairs).unwrap().finish(1)
}

#[test]
fn nothing_asked_is_a_png_of_100_by_100_that_covers() {
    let expected = Options {
        width: 100,
        height: 100,
        fit: Fit::Cover,
        format: AskedFormat::Png,
        gravity: Gravity::Center,
        animated: true,
        background: Background::Transparent,
        quality: None,
        lossless: false,
        max_bytes: None,
        max_frames: None,
        preset: None,
        variants: Vec::new(),
    };
    assert_eq!(options(&[]), expected);
}

#[test]
fn takes_every_option() {
    let expected = Options {
        width: 1,
        height: 2048,
        fit: Fit::Contain,
        format: AskedFormat::Webp,
        gravity: Gravity::NorthWest,
        animated: false,
        background: Background::Colour(Rgb { red: 0x11, green: 0x22, blue: 0x33 }),
        quality: Some(100),
        lossless: true,
        max_bytes: Some(9),
        max_frames: Some(50),
        preset: Some(Preset::Slack),
        variants: Vec::new(),
    };
    let given = options(&[
        ("width", "1"),
        ("height", "2048"),
        ("fit", "contain"),
        ("format", "webp"),
        ("gravity", "north-west"),
        ("animated", "false"),
        ("background", "#123"),
        ("quality", "100"),
        ("lossless", "true"),
        ("max_bytes", "9"),
        ("preset", "slack"),
    ]);
    assert_eq!(given, expected);
}

#[test]
fn refuses_what_is_out_of_range_and_says_what_is_in_it() {
    for (name, max) in [("width", 2048), ("height", 2048), ("quality", 100), ("max_bytes", 67_108_864)] {
        let above = (max + 1).to_string();
        for value in
            ["0", "-1", "+1", "", " 1", "1.0", "1e2", "0x10", "٣", "99999999999999999999", above.as_str()]
        {
            let error = draft(&[(name, value)]).unwrap_err().to_string();
            let expected = format!("The option \"{name}\" takes a whole number from 1 to {max}.");
            assert_eq!(error, expected, "{name}={value}");
        }
        assert!(draft(&[(name, &max.to_string())]).is_ok(), "{name}={max}");
    }
}

#[test]
fn refuses_other_words_and_lists_its_own() {
    for (name, listed) in [
        ("fit", "cover, contain, fill"),
        ("format", "png, jpeg, webp, gif, auto"),
        ("animated", "true, false"),
        ("lossless", "true, false"),
        ("preset", "slack, discord, mastodon"),
    ] {
        for value in ["x", "", "COVER", "png ", "1"] {
            let error = draft(&[(name, value)]).unwrap_err().to_string();
            assert_eq!(error, format!("The option \"{name}\" takes one of: {listed}."), "{name}={value}");
        }
    }
    assert!(draft(&[("gravity", "centre")]).is_err());
    assert_eq!(
        draft(&[("background", "red")]).unwrap_err().to_string(),
        "The option \"background\" takes transparent, or a colour like ffffff or #fff."
    );
}

#[test]
fn every_option_takes_its_words_and_its_example() {
    for row in TABLE {
        let words = if let Takes::OneOf(words) = row.takes { words } else { &[] };
        for value in words.iter().chain([&row.example]) {
            let given = draft(&[(row.name, value)]).unwrap().finish(1);
            assert_eq!(given == Options::default(), is_default(row.name, value), "{}={value}", row.name);
            assert!(value.len() <= row.max_value_bytes(), "{}={value}", row.name);
        }
        assert!(!is_default(row.name, row.example), "{}: an example changes something", row.name);
    }
}

fn is_default(name: &str, value: &str) -> bool {
    let defaults = serde_json::to_value(Options::default()).unwrap();
    defaults[name].as_str().map_or_else(|| defaults[name].to_string(), str::to_owned) == value
}

#[test]
fn refuses_unknown_and_repeated_names() {
    assert_eq!(draft(&[("hieght", "5")]).unwrap_err(), OptionError::Unknown("hieght".into()));
    assert_eq!(draft(&[("width", "5"), ("width", "5")]).unwrap_err(), OptionError::Repeated("width"));
    let long = "x".repeat(1000);
    assert_eq!(draft(&[(&long, "5")]).unwrap_err(), OptionError::Unknown("x".repeat(40)));
}

#[test]
fn an_option_that_is_set_anew_replaces_the_one_before_and_an_empty_value_takes_it_back() {
    let mut draft = draft(&[("width", "5"), ("quality", "50")]).unwrap();
    draft.set_anew("width", "7").unwrap();
    draft.set_anew("quality", "").unwrap();
    assert_eq!(draft.clone().finish(1), options(&[("width", "7")]));
    assert_eq!(draft.set_anew("hieght", "5").unwrap_err(), OptionError::Unknown("hieght".into()));
    assert!(draft.set_anew("width", "0").is_err());
}

#[test]
fn a_preset_is_a_set_of_defaults_and_an_option_beside_it_wins() {
    for (preset, max_bytes, max_frames) in
        [("slack", 128_000, Some(50)), ("discord", 256_000, None), ("mastodon", 256_000, None)]
    {
        let given = options(&[("preset", preset)]);
        assert_eq!((given.width, given.height), (128, 128));
        assert_eq!((given.max_bytes, given.max_frames), (Some(max_bytes), max_frames));
    }
    let given = options(&[("max_bytes", "5000"), ("preset", "slack"), ("width", "64")]);
    assert_eq!((given.width, given.height, given.max_bytes), (64, 128, Some(5000)));
}

#[test]
fn a_preset_never_exceeds_the_largest_side() {
    let mut draft = Draft::new(64);
    draft.set("preset", "slack").unwrap();
    assert_eq!(draft.finish(1).width, 64);
}

#[test]
fn only_an_animation_under_a_preset_becomes_a_gif() {
    for (pairs, frames, format) in [
        (vec![("preset", "slack")], 2, AskedFormat::Gif),
        (vec![("preset", "slack")], 1, AskedFormat::Png),
        (vec![("preset", "slack"), ("animated", "false")], 2, AskedFormat::Png),
        (vec![("preset", "slack"), ("format", "webp")], 2, AskedFormat::Webp),
        (vec![], 2, AskedFormat::Png),
    ] {
        assert_eq!(draft(&pairs).unwrap().finish(frames).format, format, "{pairs:?}");
    }
}

#[test]
fn the_row_gives_back_what_was_put_in() {
    let given = options(&[("preset", "slack"), ("background", "#123"), ("gravity", "south-east")]);
    let json = serde_json::to_string(&given).unwrap();
    assert_eq!(serde_json::from_str::<Options>(&json).unwrap(), given);
}

#[test]
fn a_row_that_is_older_than_an_option_has_its_default() {
    assert_eq!(
        serde_json::from_str::<Options>("{\"width\":50}").unwrap(),
        Options { width: 50, ..Options::default() }
    );
}
