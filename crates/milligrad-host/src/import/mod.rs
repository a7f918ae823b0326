//! Models that other programs made.

pub mod tflite;
