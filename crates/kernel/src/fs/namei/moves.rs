//! Whether something moved while somebody went up the tree.
//!
//! Mirrors: `nd->m_seq` and `nd->r_seq` of fs/namei.c, `prepend_path` of fs/d_path.c, Linux 6.18.
//! Locking: none is held between look and question.

use acrida_klib::seqlock::Sequence;

use crate::kernel;

/// The moment in which somebody began to look.
#[derive(Clone, Copy)]
pub struct Moves {
    renames: Sequence,
    mounts: Sequence,
}

impl Moves {
    pub fn look() -> Moves {
        Moves { renames: kernel().renames.look(), mounts: kernel().mounts.look() }
    }

    /// Whether a name has gone to another directory since, or a mount come or gone: two parents that were read one after the
    /// other may never have been above each other.
    #[must_use]
    pub fn happened(self) -> bool {
        kernel().mounts.changed_since(self.mounts) || kernel().renames.changed_since(self.renames)
    }
}
