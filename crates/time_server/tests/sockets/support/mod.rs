mod client;
mod person;
mod world;

pub(crate) use client::{Client, Wire, hello};
pub(crate) use person::Person;
pub(crate) use world::{NOW, World, random, seal};
