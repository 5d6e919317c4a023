//! A lossy WebP (VP8) decoder for reduced scales.
