//! The rules of writing, pure: what an input makes of what is stored, and what the history says.
