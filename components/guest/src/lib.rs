//! What the guests share: clients of the host capabilities, HTTP and log helpers.
