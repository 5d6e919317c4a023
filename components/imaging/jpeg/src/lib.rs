//! A JPEG decoder for reduced scales.
