//! The public conformance suite of assoc backends.
