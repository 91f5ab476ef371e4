//! The portal from outside: requests into the whole router, on a real store and a clock of our own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails says so")]

mod accounts;
mod app_tokens;
mod apps;
mod backup;
mod bans;
mod clock;
mod commands;
mod connections;
mod crowds;
mod demo;
mod dpop;
mod forged;
mod full_disk;
mod fuzz;
mod fuzz_cookies;
mod innocents;
mod installation;
mod kill;
mod known_device;
mod login;
mod logs;
mod openapi;
mod operator;
mod operators;
mod raw_requests;
mod refresh;
mod retention;
mod revocations;
mod rewrap;
mod same_origin;
mod server_keys;
mod services;
mod sessions;

mod signup;
mod slow_clients;
mod support;
mod tickets;
mod time_server;
mod tokens;
mod toll;
mod toll_books;
mod toll_killed;
mod user_keys;
mod verifying;
