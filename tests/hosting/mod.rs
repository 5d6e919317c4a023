//! Other applications under our host: it knows no job and no image, and does with a stranger's `spin.toml` what Spin does, and no more than that.

mod guestbook;
mod prowler;
