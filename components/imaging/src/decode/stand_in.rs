//! A smaller copy of the picture within the file, where that is enough.

use thumbs_heif::Picture;

use crate::plan::Plan;

/// It has at least so many pixels to one that is wanted, as what decoders reduce by themselves.
const LEAST_REDUCTION: f64 = 2.0;

/// The smallest of `thumbnails` that can stand in for `picture` in all that is planned, and the plans for it.
pub(super) fn choose(
    plans: &[Plan],
    picture: &Picture,
    thumbnails: Vec<Picture>,
) -> Option<(Vec<Plan>, Picture)> {
    let sides = |picture: &Picture| (picture.crop.width, picture.crop.height);
    thumbnails
        .into_iter()
        .filter(|thumbnail| looks_like(thumbnail, picture))
        .map(|thumbnail| {
            let moved = |plan: &Plan| plan.moved(sides(picture), sides(&thumbnail));
            (plans.iter().map(moved).collect::<Vec<_>>(), thumbnail)
        })
        .filter(|(plans, _)| plans.iter().all(|plan| plan.reduction() >= LEAST_REDUCTION))
        .min_by_key(|(_, thumbnail)| u64::from(thumbnail.width) * u64::from(thumbnail.height))
        .map(|(plans, thumbnail)| {
            let profile = thumbnail.profile.clone().or_else(|| picture.profile.clone());
            (plans, Picture { profile, ..thumbnail })
        })
}

/// Whether it shows all of the picture, the same way up: the same shape up to what rounding does.
fn looks_like(thumbnail: &Picture, picture: &Picture) -> bool {
    let (small, large) = (thumbnail.crop, picture.crop);
    let across = u64::from(small.width) * u64::from(large.height);
    let down = u64::from(small.height) * u64::from(large.width);
    thumbnail.orientation == picture.orientation
        && thumbnail.is_grey == picture.is_grey
        && across.abs_diff(down) <= u64::from(large.width.max(large.height))
}
