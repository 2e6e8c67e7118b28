//! Tests that find out only when they run whether they can: the program of such tests, which takes the place of the harness.

use std::{process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use tokio::{runtime::Runtime, time::timeout};

/// How a test ends: done, ignored with the reason, or failed.
pub type Verdict = Result<Completion, Failed>;

/// What the tests of a program share: made before the first of them, and ended after the last.
pub trait Shared: Default + Send + Sync + 'static {
    /// Gives back what was taken.
    fn end(self) -> impl Future<Output = ()>;
}

/// For tests that share nothing.
impl Shared for () {
    async fn end(self) {}
}

/// The tests of a program.
pub struct Trials<S> {
    list: Vec<Listed<S>>,
    one_by_one: bool,
}

struct Listed<S> {
    name: String,
    kind: &'static str,
    test: Test<S>,
}

/// A test as the harness runs it, on a thread of its own.
type Test<S> = Box<dyn FnOnce(&Runtime, &S) -> Verdict + Send>;

impl<S: Shared> Trials<S> {
    /// None as yet. As many of them run at once as the machine has cores, or as the command line says.
    pub const fn side_by_side() -> Self {
        Self { list: Vec::new(), one_by_one: false }
    }

    /// None as yet. They run one after the other, whatever the command line says.
    pub const fn one_by_one() -> Self {
        Self { list: Vec::new(), one_by_one: true }
    }

    /// Adds one.
    pub fn add(&mut self, name: impl Into<String>, test: impl AsyncFnOnce(&S) -> Verdict + Send + 'static) {
        self.add_of_kind("", name, test);
    }

    /// Adds one of a kind, which is shown before its name.
    pub fn add_of_kind(
        &mut self,
        kind: &'static str,
        name: impl Into<String>,
        test: impl AsyncFnOnce(&S) -> Verdict + Send + 'static,
    ) {
        let test: Test<S> = Box::new(|runtime, shared| runtime.block_on(test(shared)));
        self.list.push(Listed { name: name.into(), kind, test });
    }

    /// Runs those that the command line asks for.
    pub fn run(self) -> ExitCode {
        let mut arguments = Arguments::from_args();
        if self.one_by_one {
            arguments.test_threads = Some(1);
        }
        let runtime = match Runtime::new() {
            Ok(runtime) => Arc::new(runtime),
            Err(error) => {
                eprintln!("the runtime cannot be started: {error}");
                return ExitCode::FAILURE;
            }
        };
        let shared = Arc::new(S::default());
        let trials = self.list.into_iter().map(|Listed { name, kind, test }| {
            let (runtime, shared) = (Arc::clone(&runtime), Arc::clone(&shared));
            Trial::ignorable_test(name, move || test(&runtime, &shared)).with_kind(kind)
        });
        let conclusion = libtest_mimic::run(&arguments, trials.collect());
        // Every test that had a part in it is over.
        if let Some(shared) = Arc::into_inner(shared) {
            runtime.block_on(shared.end());
        }
        conclusion.exit_code()
    }
}

/// Runs a test, which fails when it is not over in time.
pub async fn in_time(limit: Duration, test: impl Future<Output = ()>) -> Verdict {
    match timeout(limit, test).await {
        Ok(()) => Ok(Completion::Completed),
        Err(_) => Err(format!("it is not over in {} s", limit.as_secs()).into()),
    }
}
