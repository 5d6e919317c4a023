//! The pure imaging component: bytes in, thumbnail out, no imports.
