//! How often one may try: counted for each purpose by itself. (ACC-14, ACC-15)

use i9chat_spec::ErrorCode;

use super::{
    super::{look_alike, tries, wrong_code},
    Forgetful,
};
use crate::{
    cases,
    expect::{check, expect, text_at},
    verdict::Verdict,
    world::World,
};

cases! { Core:
    five_wrong_codes_void_a_ticket_of_a_reset ["ACC-15", "ACC-5", "CAP-2"],
    wrong_codes_for_an_unknown_address_are_counted_alike ["ACC-14", "ACC-5"],
    a_new_ticket_voids_the_earlier_ones_of_its_purpose_alone ["ACC-15", "ACC-6"],
    a_sixth_reset_in_an_hour_is_never_good ["ACC-15", "ACC-7"],
    tickets_of_the_other_purpose_use_nothing_up ["ACC-15", "ACC-7"],
    after_twenty_wrong_codes_a_day_no_reset_is_good ["ACC-15", "ACC-7"],
}

async fn five_wrong_codes_void_a_ticket_of_a_reset(world: &World) -> Verdict {
    let [alice, bob] = world.users().await?;
    let most = tries(world)?;
    // One less leaves it good.
    for (user, wrong) in [(&alice, most), (&bob, most - 1)] {
        let forgetful = Forgetful::new(world, &user.email);
        let first = forgetful.gets_ticket().await?;
        for turn in 0..wrong {
            let answer = forgetful.verifies(&first.ticket, &wrong_code(&first.code, turn)).await?;
            answer.refused_with(ErrorCode::WrongCode)?;
        }
        let right = forgetful.verifies(&first.ticket, &first.code).await?;
        if wrong == most {
            right.refused_with(ErrorCode::TicketInvalid)?;
        } else {
            right.succeeded(200)?;
        }
    }
    Ok(())
}

async fn wrong_codes_for_an_unknown_address_are_counted_alike(world: &World) -> Verdict {
    let nobody = Forgetful::new(world, world.newcomer().email);
    let ticket = text_at(&nobody.asks().await?.succeeded(202)?, "ticket")?;
    for turn in 0..tries(world)? {
        nobody.verifies(&ticket, &wrong_code("000000", turn)).await?.refused_with(ErrorCode::WrongCode)?;
    }
    nobody.verifies(&ticket, &wrong_code("000000", 7)).await?.refused_with(ErrorCode::TicketInvalid)?;
    // A new ticket voids the earlier one, as for a known address.
    let earlier = text_at(&nobody.asks().await?.succeeded(202)?, "ticket")?;
    let later = text_at(&nobody.asks().await?.succeeded(202)?, "ticket")?;
    nobody.verifies(&earlier, "000000").await?.refused_with(ErrorCode::TicketInvalid)?;
    nobody.verifies(&later, "000000").await?.refused_with(ErrorCode::WrongCode)?;
    Ok(())
}

async fn a_new_ticket_voids_the_earlier_ones_of_its_purpose_alone(world: &World) -> Verdict {
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let first = forgetful.gets_ticket().await?;
    let second = forgetful.gets_ticket().await?;
    forgetful.verifies(&first.ticket, &first.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    // Signing up with the address voids no ticket of a reset.
    let again = world.newcomer().with_email(&alice.email);
    let seen = world.target().mail().seen(&alice.email).await;
    again.asks().await?.succeeded(202)?;
    again.reads_mail(&seen).await?;
    forgetful.verifies(&second.ticket, &second.code).await?.succeeded(200)?;

    // And the other way round, for an address that has no account yet.
    let newcomer = world.newcomer();
    let to_sign_up = newcomer.gets_ticket().await?;
    Forgetful::new(world, &newcomer.email).asks().await?.succeeded(202)?;
    newcomer.verifies(&to_sign_up.ticket, &to_sign_up.code).await?.succeeded(200)?;
    Ok(())
}

async fn a_sixth_reset_in_an_hour_is_never_good(world: &World) -> Verdict {
    expect(world.limits().tickets_per_hour).to_equal(5)?;
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let mut last = forgetful.gets_ticket().await?;
    for _ in 1..5 {
        last = forgetful.gets_ticket().await?;
    }
    let before = world.target().mail().count(&alice.email);
    let sixth = forgetful.asks().await?;
    look_alike(&Forgetful::new(world, world.newcomer().email).asks().await?, &sixth)?;
    let ticket = text_at(&sixth.succeeded(202)?, "ticket")?;
    for code in [last.code.clone(), wrong_code(&last.code, 0)] {
        let answer = forgetful.verifies(&ticket, &code).await?;
        let refused =
            [ErrorCode::WrongCode, ErrorCode::TicketInvalid].iter().any(|code| answer.refused_with(*code).is_ok());
        check(refused, || ("wrong_code or ticket_invalid", answer.to_string()))?;
    }
    forgetful.verifies(&last.ticket, &last.code).await?.refused_with(ErrorCode::TicketInvalid)?;
    // A mail that was asked for later has come; the sixth has not.
    let other = world.user().await?;
    Forgetful::new(world, &other.email).gets_ticket().await?;
    expect(world.target().mail().count(&alice.email)).to_equal(before)
}

async fn tickets_of_the_other_purpose_use_nothing_up(world: &World) -> Verdict {
    expect(world.limits().tickets_per_hour).to_equal(5)?;
    let newcomer = world.newcomer();
    // The reset of an address without an account, five times, each with as many wrong codes as it takes.
    let nobody = Forgetful::new(world, &newcomer.email);
    for _ in 0..5 {
        let seen = world.target().mail().seen(&newcomer.email).await;
        let ticket = text_at(&nobody.asks().await?.succeeded(202)?, "ticket")?;
        // Each mail has come, so that the next one is that of signing up.
        nobody.reader.reads_mail(&seen).await?;
        for turn in 0..tries(world)? {
            nobody.verifies(&ticket, &wrong_code("000000", turn)).await?.refused_with(ErrorCode::WrongCode)?;
        }
    }
    newcomer.signs_up().await?;
    Ok(())
}

async fn after_twenty_wrong_codes_a_day_no_reset_is_good(world: &World) -> Verdict {
    expect(world.limits().wrong_codes_per_day).to_equal(20)?;
    let alice = world.user().await?;
    let forgetful = Forgetful::new(world, &alice.email);
    let most = tries(world)?;
    for _ in 0..20 / most {
        let ticket = forgetful.gets_ticket().await?;
        for turn in 0..most {
            let answer = forgetful.verifies(&ticket.ticket, &wrong_code(&ticket.code, turn)).await?;
            answer.refused_with(ErrorCode::WrongCode)?;
        }
    }
    let last = forgetful.gets_ticket().await?;
    forgetful.verifies(&last.ticket, &last.code).await?.refused_with(ErrorCode::WrongCode)?;
    // The owner is not locked out: the password is what it was.
    alice.signs_in_again().await?.get("/v1/me").send().await?.succeeded(200)?;
    Ok(())
}
