use super::fake::{Act, Script, survive, value};
use crate::cache::CacheError;
use std::fmt::Write as _;

macro_rules! is_error {
    ($answer:expr, $variant:ident) => {
        assert!(matches!(&$answer, Err(CacheError::$variant { .. })), "{:?}", $answer)
    };
}

#[tokio::test]
async fn swapped_replies() {
    let [a, b] = survive(|gets| match gets {
        [a, b] => Act::Say(b.answer() + &a.answer()),
        _ => Act::Wait,
    })
    .await;
    is_error!(a, Protocol);
    is_error!(b, Protocol);
}

#[tokio::test]
async fn a_doubled_reply_in_a_batch() {
    let [a, b] = survive(|gets| match gets {
        [a, b] => Act::Say(a.answer() + &a.answer() + &b.answer()),
        _ => Act::Wait,
    })
    .await;
    a.unwrap();
    is_error!(b, Protocol);
}

#[tokio::test]
async fn a_doubled_reply_after_a_batch() {
    let [a, b] = survive(|gets| match gets {
        [a, b] => Act::Say(a.answer() + &b.answer() + &b.answer()),
        _ => Act::Wait,
    })
    .await;
    a.unwrap();
    b.unwrap();
}

#[tokio::test]
async fn a_reply_with_a_number_that_was_not_given() {
    let [a, b] = survive(|gets| {
        let value = value(&gets[0].key);
        Act::Say(format!("VA {} c5 O999\r\n{value}\r\n", value.len()))
    })
    .await;
    is_error!(a, Protocol);
    is_error!(b, Protocol);
}

#[tokio::test]
async fn a_reply_without_a_number() {
    let [a, _] = survive(|_| Act::Say("EN\r\n".to_owned())).await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn a_lost_reply() {
    let [a, _] = survive(|gets| match gets {
        [_, b] => Act::Say(b.answer()),
        _ => Act::Wait,
    })
    .await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn a_value_that_is_cut_off() {
    let [a, b] = survive(|gets| {
        let answer = gets[0].answer();
        Act::SayAndHangUp(answer[..answer.len() - 8].to_owned())
    })
    .await;
    is_error!(a, Disconnected);
    is_error!(b, Disconnected);
}

#[tokio::test]
async fn a_value_that_never_ends() {
    let [a, b] = survive(|gets| {
        let answer = gets[0].answer();
        Act::Say(answer[..answer.len() - 8].to_owned())
    })
    .await;
    // The second read's reply may come where the rest of the value should be.
    assert!(a.is_err() && b.is_err());
}

#[tokio::test]
async fn a_value_that_is_longer_than_said() {
    let [a, _] = survive(|gets| {
        let value = value(&gets[0].key);
        Act::Say(format!("VA {} c5 O{}\r\n{value}\r\n", value.len() - 3, gets[0].opaque))
    })
    .await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn a_length_of_two_gibibytes() {
    let [a, _] =
        survive(|gets| Act::Say(format!("VA 2147483648 c5 O{}\r\n", gets[0].opaque))).await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn a_length_over_the_item_limit() {
    let [a, _] = survive(|gets| Act::Say(format!("VA 1048577 c5 O{}\r\n", gets[0].opaque))).await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn a_line_without_end() {
    let [a, _] = survive(|_| Act::Say("VA ".to_owned() + &"1".repeat(100_000))).await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn many_flags() {
    let [a, _] = survive(|gets| {
        let mut line = format!("EN O{}", gets[0].opaque);
        (0..400).for_each(|n| write!(line, " t{n}").unwrap());
        Act::Say(line + "\r\n")
    })
    .await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn garbage() {
    const SCRIPTS: [Script; 6] = [
        |_| Act::Say("\r\n".to_owned()),
        |_| Act::Say("\n".to_owned()),
        |_| Act::Say("\0\0\0\0\r\n".to_owned()),
        |_| Act::Say("VA\r\n".to_owned()),
        |_| Act::Say("VA x O1\r\n".to_owned()),
        |_| Act::Say("HTTP/1.1 400 Bad Request\r\n".to_owned()),
    ];
    for script in SCRIPTS {
        let [a, _] = survive(script).await;
        is_error!(a, Protocol);
    }
}

#[tokio::test]
async fn a_reply_of_another_command() {
    let [a, _] = survive(|gets| Act::Say(format!("HD c5 O{}\r\n", gets[0].opaque))).await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn a_hit_without_a_token() {
    let [a, _] = survive(|gets| Act::Say(format!("VA 1 O{}\r\nx\r\n", gets[0].opaque))).await;
    is_error!(a, Protocol);
}

#[tokio::test]
async fn silence() {
    let [a, b] = survive(|_| Act::Wait).await;
    is_error!(a, TimedOut);
    is_error!(b, TimedOut);
}

#[tokio::test]
async fn hanging_up() {
    let [a, b] = survive(|_| Act::SayAndHangUp(String::new())).await;
    is_error!(a, Disconnected);
    is_error!(b, Disconnected);
}

#[tokio::test]
async fn a_server_error_for_one_command() {
    let [a, b] = survive(|gets| match gets {
        [_, b] => Act::Say("SERVER_ERROR out of memory\r\n".to_owned() + &b.answer()),
        _ => Act::Wait,
    })
    .await;
    is_error!(a, Refused);
    b.unwrap();
}

#[tokio::test]
async fn a_server_error_that_nobody_caused() {
    let [a, b] = survive(|gets| match gets {
        [a, b] => Act::Say("SERVER_ERROR busy\r\n".to_owned() + &a.answer() + &b.answer()),
        _ => Act::Wait,
    })
    .await;
    is_error!(a, Refused);
    is_error!(b, Protocol);
}

#[tokio::test]
async fn a_client_error_ends_the_connection_after_earlier_answers() {
    let [a, b] = survive(|gets| match gets {
        [a, _] => Act::Say(a.answer() + "CLIENT_ERROR bad\r\n"),
        _ => Act::Wait,
    })
    .await;
    a.unwrap();
    is_error!(b, Refused);
}
