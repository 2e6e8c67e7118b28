//! What a run tells: on the console, as JSON, as `JUnit`.

mod console;
mod json;
mod junit;

pub use console::console;
pub use json::json;
pub use junit::junit;

#[cfg(test)]
mod tests;
