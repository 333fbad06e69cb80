//! The whole screen, as a person would see it.

mod chaos;
mod fixture;
mod harm;
mod keys;
mod properties;
mod screens;
mod tabs;
