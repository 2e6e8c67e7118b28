//! The report for build servers.

use i9chat_spec::Profile;
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use crate::{run::Finished, verdict::Ending};

/// `JUnit` XML: a suite for each profile; what failed is a failure, what is inconclusive an error.
pub fn junit(finished: &[Finished]) -> Result<String, SerializeError> {
    let mut report = Report::new("i9chat-conformance");
    for profile in Profile::ALL {
        let mut suite = TestSuite::new(profile.as_str());
        suite.add_test_cases(finished.iter().filter(|finished| finished.case.profile == *profile).map(test_case));
        if suite.tests > 0 {
            report.add_test_suite(suite);
        }
    }
    report.to_string()
}

fn test_case(Finished { case, outcome, took }: &Finished) -> TestCase {
    let status = match outcome.ending {
        Ending::Passed => TestCaseStatus::success(),
        Ending::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(outcome.detail.as_str());
            status
        }
        Ending::Failed | Ending::Inconclusive => {
            let kind = if outcome.ending == Ending::Failed { NonSuccessKind::Failure } else { NonSuccessKind::Error };
            let mut status = TestCaseStatus::non_success(kind);
            status.set_message(outcome.detail.as_str());
            status.set_type(case.requirements.join(", "));
            status.set_description(outcome.traffic.join("\n"));
            status
        }
    };
    let mut test_case = TestCase::new(case.name, status);
    test_case.set_time(*took);
    test_case
}
