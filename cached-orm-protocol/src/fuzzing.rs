//! What `cargo fuzz` calls, with bytes that it makes up; not in other builds. Each
//! function panics if what it is about does not hold.

pub use crate::{
    cache::fuzzing::{addresses, replies},
    coherence::fuzz_fences as fences,
};

use std::{fs, path::Path};

/// What was found stays found.
pub fn replay(corpus: &Path, run: fn(&[u8])) {
    let files = fs::read_dir(corpus).expect("there is a corpus");
    let mut ran = 0;
    for file in files {
        let path = file.expect("a folder that can be read").path();
        eprintln!("{}", path.display());
        run(&fs::read(path).expect("a file that can be read"));
        ran += 1;
    }
    assert!(ran > 0);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn replies() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/replies");
        super::replay(&corpus, super::replies);
    }
}
