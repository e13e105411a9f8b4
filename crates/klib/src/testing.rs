//! How much work the tests of this crate do: natively much, under miri (a thousand times slower) little.
//!
//! Linux: none.

use proptest::test_runner::Config;

/// Cases of a property.
pub(crate) fn cases(native: u32, miri: u32) -> Config {
    Config { cases: steps(native, miri), failure_persistence: None, ..Config::default() }
}

/// Steps of a loop.
pub(crate) const fn steps(native: u32, miri: u32) -> u32 {
    if cfg!(miri) { miri } else { native }
}
