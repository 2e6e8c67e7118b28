use super::*;
use crate::domain::testing::Scene;

#[test]
fn every_session_of_the_user_ends_and_nobody_elses() {
    let mut scene = Scene::new();
    let [alice, bob] = scene.users();
    for user in [&alice, &alice, &bob] {
        scene.session_of(user);
    }
    let command = ResetPassword { user_id: alice.user_id, password: PasswordHash("phc".to_owned()) };
    scene.decide(&command).unwrap();
    assert_eq!(scene.heard_by(&alice), ["session_ended", "session_ended"]);
    assert!(scene.heard_by(&bob).is_empty());
}
