mod client;
mod person;
mod world;

pub use client::{Client, Wire, hello};
pub use person::Person;
pub use world::{NOW, World, random, seal};
