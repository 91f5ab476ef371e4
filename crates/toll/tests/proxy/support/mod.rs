mod raw;
mod upstream;
mod world;

pub(crate) use raw::{Raw, Reply};
pub(crate) use upstream::Upstream;
pub(crate) use world::{World, route};
