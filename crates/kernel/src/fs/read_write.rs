//! read, write and their relatives: stub.
