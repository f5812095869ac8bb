use std::hash::{Hash as _, Hasher};
use tokio::task::try_id;

/// A number that is always the same for the task that calls, and spread evenly over
/// tasks; `None` outside of tasks.
pub(super) fn hash() -> Option<u64> {
    let mut hasher = Fibonacci(0);
    try_id()?.hash(&mut hasher);
    Some(hasher.finish())
}

/// Task ids count up. Multiplied so, even those of every second task, or of every
/// third, are spread evenly (Knuth, The Art of Computer Programming, 6.4).
struct Fibonacci(u64);

impl Hasher for Fibonacci {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(byte.into());
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn tasks_are_spread_evenly_and_keep_their_number() {
        let mut lanes = [0; 4];
        for spawned in 0..1000 {
            let task = tokio::spawn(async {
                let first = hash();
                tokio::task::yield_now().await;
                assert_eq!(first, hash());
                first
            });
            let number = task.await.expect("no panic").expect("a task");
            // As where each request has a task that asks and one that does not.
            if spawned % 2 == 0 {
                lanes[(number % 4) as usize] += 1;
            }
        }
        assert!(lanes.iter().all(|&tasks| (100..=150).contains(&tasks)), "{lanes:?}");
    }

    #[test]
    fn there_is_none_outside_of_tasks() {
        assert_eq!(hash(), None);
    }
}
