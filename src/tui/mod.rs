//! The screen: a view of the group, and keys that become actions.
