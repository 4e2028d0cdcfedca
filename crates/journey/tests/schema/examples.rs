//! Which files, together, have every key that a journey file may have?

pub(crate) const ALL: [&str; 6] = [
    BY_EVENT,
    BY_CONSENT,
    BY_TRAIT,
    BY_SCHEDULE,
    BY_DATE,
    BY_DELIVERY,
];

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
      sign: [{ env: MAIL_SIGNING_NEW }, { env: MAIL_SIGNING }]
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
      consent: { basis: contract, because: the contract asks for it, address: profile.email }
      auth: { header: { name: X-Api-Key, value: { env: MAIL_KEY } } }
      sign: { file: /run/secrets/signing }
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

pub(crate) const BY_TRAIT: &str = r#"
journey: stages
description: Follow a plan.
trigger:
  trait: account.plan
  from: null
  to: pro
  where: change.previous != change.current
entry:
  again: 30d
  limit: 1000/h
life: 90d
visits: 20
migrate:
  from: any
  map: { old_split: halves }
blocks:
  halves:
    split:
      - { arm: a, weight: 1, then: morning }
      - { arm: b, weight: 2, then: note, holdout: true }
    salt: stages-of-2026
  morning:
    wait:
      until: "09:00"
      zone: profile.timezone
      zone_default: Europe/Berlin
      days: [mon-fri]
      grace: 30m
    then: note
  note:
    update:
      profile: { stage: customer, upgrades: "{(profile.upgrades ?? 0) + 1}" }
    then: trial_end
  trial_end:
    wait: { until: profile.trialEndsAt, offset: -3d, missing: no_date }
    then: tell
  tell:
    webhook:
      method: POST
      url: https://mail.example.com/stages
      consent: marketing
      when: profile.email != null
      payload: { id: "{profile.profileId}" }
  no_date:
    exit: no date
"#;

pub(crate) const BY_SCHEDULE: &str = r#"
journey: weekly
description: Write once a week.
trigger:
  schedule: { cron: "0 9 * * mon", zone: Europe/Berlin }
  where: profile.plan == "pro"
blocks:
  done:
    exit: done
"#;

pub(crate) const BY_DATE: &str = r#"
journey: trial-end
description: Write before a trial ends.
trigger:
  date: profile.trialEndsAt
  offset: -3d
  where: profile.plan == "trial"
blocks:
  done:
    exit: done
"#;

pub(crate) const BY_DELIVERY: &str = r#"
journey: after-care
description: Follow what did not arrive.
trigger:
  delivery: { journey: weekly, block: tell, state: rejected }
  where: delivery.status == 410
blocks:
  done:
    exit: done
"#;
