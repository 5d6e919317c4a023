//! Of the capabilities: whom a component may reach.

#[path = "../../../runtime/src/capabilities/allowed_hosts.rs"]
pub mod allowed_hosts;
