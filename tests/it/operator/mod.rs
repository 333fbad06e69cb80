//! Whoever runs a mediator: asks it over its control socket, and has several of them share the groups.

mod control;
