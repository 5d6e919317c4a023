//! Of the triggers: which route a path belongs to.

#[path = "../../../runtime/src/triggers/router.rs"]
pub mod router;
