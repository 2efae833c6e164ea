-- What the budget of the contact policy is held against: contacts by day, campaign and channel, counted while a budget is in force.
CREATE TABLE contacts.spending (
    day      date   NOT NULL,                      -- in the policy's zone
    campaign text   NOT NULL,
    channel  text   COLLATE "C" NOT NULL,
    contacts bigint NOT NULL,
    PRIMARY KEY (day, campaign, channel)
);
