//! Which files, together, have every key that a journey file may have?

pub(crate) const ALL: [&str; 2] = [BY_EVENT, BY_CONSENT];

pub(crate) const BY_EVENT: &str = r#"
journey: order-care
title: Order Care
description: Look after an order.
trigger:
  event: Order Placed
  where: properties.total > 10
entry:
  again: after_exit
  key: properties.orderId
  lateness: 72h
exit:
  - event: Order Cancelled
    where: event.properties.reason != "test"
    any_key: true
    reason: cancelled
  - when: profile.blocked == true
start: big
blocks:
  big:
    decide:
      - when: properties.total > 100
        then: settle
      - else: late
  settle:
    wait: 2h
    then: paid
  paid:
    wait:
      for:
        - event: Order Paid
          where: event.properties.total == trigger.properties.total
          any_key: false
          as: payment
          then: thank
        - event: { type: page, name: Help }
          then: help
        - when: profile.tier == "gold"
          then: based
      timeout: 3d
    then: late
  thank:
    webhook:
      method: POST
      url: https://mail.example.com/orders/{properties.orderId}?paid={payment.properties.total}
      consent: marketing
      auth: { bearer: { env: MAIL_TOKEN } }
      headers: { X-Source: wayfare }
      when: profile.email != null
      payload:
        order: "{properties.orderId}"
      identity: any
      delivery: at_least_once
      timeout: 10s
      window: 15m
  help:
    webhook:
      method: PUT
      url: https://mail.example.com/help
      consent: { category: marketing, address: profile.email }
      auth: { basic: { username: wayfare, password: { file: /run/secrets/mail } } }
      payload: { id: "{profile.profileId}" }
  based:
    webhook:
      method: PUT
      url: { base: { env: MAIL_ORIGIN }, path: "/gold/{profileId}" }
      consent: { basis: contract, because: the contract asks for it }
      auth: { header: { name: X-Api-Key, value: { env: MAIL_KEY } } }
      payload: { id: "{profile.profileId}" }
  late:
    exit: too late
"#;

const BY_CONSENT: &str = r#"
journey: consent-care
description: Follow a choice.
trigger:
  consent: { category: marketing, action: decline }
  where: change.previous == "accept"
blocks:
  tell:
    webhook:
      method: DELETE
      url: https://mail.example.com/subscribers/{email}
      consent: { category: marketing, action: decline }
      payload: none
"#;
