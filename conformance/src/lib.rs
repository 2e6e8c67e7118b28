//! The black-box conformance suite for servers that speak i9chat, and its load generator.
