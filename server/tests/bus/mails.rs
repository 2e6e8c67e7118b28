//! The mails that wait.

use std::collections::HashSet;

use i9chat_server::store::{
    claims::SaveClaim,
    mails::{DueMails, MailMatter, NewMail, QueuedMail},
};

use super::{
    case::cases,
    claims::{asked, hash, mail},
    memory::at,
    scene::{Node, Scene},
};

cases! {
    Any {
        a_mail_keeps_what_it_is_about,
        mails_come_in_the_order_in_which_they_are_due_and_the_next_one_is_announced,
        a_mail_that_was_removed_does_not_come_again,
        a_mail_that_was_put_off_comes_again_when_it_is_due,
    }
    Redis {
        two_nodes_share_the_mails,
        mails_of_a_node_that_ended_are_taken_by_others_after_some_time,
        a_mail_that_another_node_has_by_now_is_not_put_off_as_well,
        a_mail_that_cannot_be_read_does_not_hold_up_the_others,
    }
}

async fn queue(node: &Node, n: u8, second: u64) -> NewMail {
    let email = format!("user{n}@example.com");
    let mail = mail(&email, MailMatter::SignupCode { ticket: hash(n) }, second);
    let save = SaveClaim { mail: Some(mail.clone()), ..asked(&email, n) };
    assert!(node.claims.save_claim(save).await.unwrap());
    mail
}

fn mails(due: &DueMails) -> Vec<NewMail> {
    due.mails.iter().map(|queued| queued.mail.clone()).collect()
}

async fn a_mail_keeps_what_it_is_about(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let matters = [
        MailMatter::SignupCode { ticket: hash(1) },
        MailMatter::AlreadyRegistered,
        MailMatter::PasswordResetCode { ticket: hash(2) },
        MailMatter::NoAccount,
    ];
    let mut sent = Vec::new();
    for (n, matter) in (1..).zip(matters) {
        let email = format!("User{n}@example.com");
        let mail = mail(&email, matter, u64::from(n));
        assert!(one.claims.save_claim(SaveClaim { mail: Some(mail.clone()), ..asked(&email, n) }).await.unwrap());
        sent.push(mail);
    }
    let due = other.mails.due_mails(at(9), 4).await.unwrap();
    assert_eq!(mails(&due), sent);
    assert!(due.mails.iter().all(|queued| queued.tries == 0));
}

async fn mails_come_in_the_order_in_which_they_are_due_and_the_next_one_is_announced(scene: &Scene) {
    let node = scene.node().await;
    let third = queue(&node, 1, 30).await;
    let first = queue(&node, 2, 10).await;
    let second = queue(&node, 3, 20).await;
    let early = node.mails.due_mails(at(9), 4).await.unwrap();
    assert_eq!((mails(&early), early.next_due_at), (vec![], Some(at(10))));
    let due = node.mails.due_mails(at(20), 1).await.unwrap();
    assert_eq!((mails(&due), due.next_due_at), (vec![first], Some(at(20))), "the second is due already");
    node.mails.remove_mail(&due.mails[0].id).await.unwrap();
    let due = node.mails.due_mails(at(20), 4).await.unwrap();
    assert_eq!((mails(&due), due.next_due_at), (vec![second], Some(at(30))));
    node.mails.remove_mail(&due.mails[0].id).await.unwrap();
    let due = node.mails.due_mails(at(50), 4).await.unwrap();
    assert_eq!((mails(&due), due.next_due_at), (vec![third], None));
}

async fn a_mail_that_was_removed_does_not_come_again(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    queue(&one, 1, 0).await;
    let due = one.mails.due_mails(at(0), 4).await.unwrap();
    one.mails.remove_mail(&due.mails[0].id).await.unwrap();
    one.mails.remove_mail(&due.mails[0].id).await.unwrap();
    for node in [one, other] {
        let due = node.mails.due_mails(at(1000), 4).await.unwrap();
        assert_eq!(due, DueMails { mails: vec![], next_due_at: None });
    }
}

async fn a_mail_that_was_put_off_comes_again_when_it_is_due(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let sent = queue(&one, 1, 0).await;
    let later = queue(&one, 2, 30).await;
    let due = one.mails.due_mails(at(0), 4).await.unwrap();
    one.mails.postpone_mail(&due.mails[0], 3, at(40)).await.unwrap();
    let none = other.mails.due_mails(at(29), 4).await.unwrap();
    assert_eq!(none, DueMails { mails: vec![], next_due_at: Some(at(30)) });
    let due = other.mails.due_mails(at(50), 4).await.unwrap();
    let expected = [(later, 0), (NewMail { due_at: at(40), ..sent }, 3)];
    let found: Vec<_> = due.mails.iter().map(|queued| (queued.mail.clone(), queued.tries)).collect();
    assert_eq!(found, expected);
}

async fn two_nodes_share_the_mails(scene: &Scene) {
    let nodes = scene.nodes().await;
    for n in 0..40 {
        queue(&nodes[0], n, 0).await;
    }
    let asking = (0..60).map(|n| nodes[n % 2].mails.due_mails(at(1), 4));
    let mut taken: Vec<QueuedMail> = Vec::new();
    for due in futures_util::future::join_all(asking).await {
        taken.extend(due.unwrap().mails);
    }
    assert_eq!(taken.len(), 40);
    assert_eq!(taken.iter().map(|queued| queued.mail.to.as_str()).collect::<HashSet<_>>().len(), 40, "each once");
}

/// Makes what was taken look as if that were long ago.
async fn time_passes(scene: &Scene, queued: &QueuedMail) {
    let (mut redis, prefix) = scene.redis().await;
    let mut claim = redis::cmd("XCLAIM");
    claim.arg(format!("{prefix}mails:taken")).arg("senders").arg("whoever").arg(0).arg(&queued.id.0);
    claim.arg("IDLE").arg(80_000).arg("JUSTID");
    let claimed: Vec<String> = claim.query_async(&mut redis).await.unwrap();
    assert_eq!(claimed, std::slice::from_ref(&queued.id.0));
}

async fn mails_of_a_node_that_ended_are_taken_by_others_after_some_time(scene: &Scene) {
    let [one, other] = scene.nodes().await;
    let sent = queue(&one, 1, 0).await;
    let due = one.mails.due_mails(at(0), 4).await.unwrap();
    drop(one);
    assert!(other.mails.due_mails(at(9), 4).await.unwrap().mails.is_empty(), "it may be on its way");
    time_passes(scene, &due.mails[0]).await;
    let left = other.mails.due_mails(at(9), 4).await.unwrap();
    assert_eq!(mails(&left), [sent]);
    assert!(other.mails.due_mails(at(9), 4).await.unwrap().mails.is_empty(), "now the other has it");
}

async fn a_mail_that_another_node_has_by_now_is_not_put_off_as_well(scene: &Scene) {
    let [slow, other] = scene.nodes().await;
    queue(&slow, 1, 0).await;
    let due = slow.mails.due_mails(at(0), 4).await.unwrap();
    time_passes(scene, &due.mails[0]).await;
    let left = other.mails.due_mails(at(9), 4).await.unwrap();
    other.mails.remove_mail(&left.mails[0].id).await.unwrap();
    slow.mails.postpone_mail(&due.mails[0], 1, at(10)).await.unwrap();
    let due = other.mails.due_mails(at(100), 4).await.unwrap();
    assert_eq!(due, DueMails { mails: vec![], next_due_at: None });
}

async fn a_mail_that_cannot_be_read_does_not_hold_up_the_others(scene: &Scene) {
    let node = scene.node().await;
    let (mut redis, prefix) = scene.redis().await;
    let mut add = redis::cmd("ZADD");
    add.arg(format!("{prefix}mails:later")).arg(at(0).as_millis()).arg(b"\xc1rubbish");
    add.query_async::<()>(&mut redis).await.unwrap();
    let sent = queue(&node, 1, 1).await;
    assert_eq!(mails(&node.mails.due_mails(at(9), 4).await.unwrap()), [sent]);
    let left: u64 = redis::cmd("XLEN").arg(format!("{prefix}mails:taken")).query_async(&mut redis).await.unwrap();
    assert_eq!(left, 1, "it is thrown away");
}
