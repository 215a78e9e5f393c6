-- The gateway's own account on the CRM's database. Replace the password, the name of the database (perfex) and the
-- network that the gateway connects from; run it as an administrator of the server.
CREATE USER 'gateway'@'10.0.0.%' IDENTIFIED BY 'change-me' REQUIRE SSL;

-- Reading: the whole database, so that the gateway can tell a table that is missing from one it may not see.
-- What clients get is for the whitelist and the tokens to say.
GRANT SELECT ON `perfex`.* TO 'gateway'@'10.0.0.%';

-- Writing: leave this out for a gateway that only reads.
GRANT INSERT, UPDATE, DELETE ON `perfex`.* TO 'gateway'@'10.0.0.%';

-- A bound on what a gateway with wrong settings can take from the CRM: workers x (pool size + exports + 1) and some more.
ALTER USER 'gateway'@'10.0.0.%' WITH MAX_USER_CONNECTIONS 100;

-- Only for several nodes that share a store (GATEWAY_STATE_URL): a database of its own, never Perfex's. The gateway
-- makes its tables there when it starts.
CREATE DATABASE `gateway_state` CHARACTER SET utf8mb4;
CREATE USER 'gateway_state'@'10.0.0.%' IDENTIFIED BY 'change-me-too' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP ON `gateway_state`.* TO 'gateway_state'@'10.0.0.%';
