//! The server state machine: slots, queues, lock, leader. Pure: time, randomness and bytes come in, values go out.
