//! Sockets: the client link and the mediator listener.
