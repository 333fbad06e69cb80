//! The whole screen, as a person would see it.

mod chaos;
mod devices;
mod feed;
mod fixture;
mod hands;
mod harm;
mod keys;
mod lock;
mod older;
mod own_keys;
mod properties;
mod reading;
mod screens;
mod tabs;
