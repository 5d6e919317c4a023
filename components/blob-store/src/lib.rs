//! The blob-store provider: our blob interface for hosts that have no blobs.
