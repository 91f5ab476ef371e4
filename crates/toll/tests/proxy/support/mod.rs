mod raw;
mod upstream;
mod world;

pub use raw::{Raw, Reply};
pub use upstream::Upstream;
pub use world::{World, route};
