-- rows: $0, $1
SELECT t.id, CASE WHEN (t.clientid != 0) THEN t.clientid ELSE NULL END AS anon_1
FROM tblinvoices AS t ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- count
SELECT count(*) AS count_1 FROM tblinvoices AS t

-- client of 1 parent: ^0, ^1, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?) ORDER BY t.userid ASC
 LIMIT ? OFFSET ?

-- client of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.company, t.userid
FROM tblclients AS t
WHERE t.userid IN (?, ?, ?, ?) ORDER BY t.userid, t.userid ASC
 LIMIT ? OFFSET ?

-- client.contracts of 1 parent: ^0, ^1, 0
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- client.contracts of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.subject, t.client
FROM tblcontracts AS t
WHERE t.client IN (?, ?, ?, ?) ORDER BY t.client, t.id ASC
 LIMIT ? OFFSET ?

-- client.contracts where there are many: ^0, ^1, ^2, ^3, $2, ^4, 0
SELECT w.c0, w.c1
FROM (SELECT t.subject AS c0, t.client AS c1, row_number() OVER (PARTITION BY t.client ORDER BY t.id ASC) AS n
FROM tblcontracts AS t
WHERE t.client IN (?, ?, ?, ?)) AS w
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?

-- payments of 1 parent: '', '*[^0-9]*', '', '*[^0-9]*', ^0, ^1, 0
SELECT t.amount, t.paymentmode, t.id, CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CAST(t.paymentmode AS INTEGER) END ELSE NULL END AS anon_1, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- payments of 4 parents: '', '*[^0-9]*', '', '*[^0-9]*', ^0, ^1, ^2, ^3, ^4, 0
SELECT t.amount, t.paymentmode, t.id, CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CAST(t.paymentmode AS INTEGER) END ELSE NULL END AS anon_1, t.invoiceid
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (?, ?, ?, ?) ORDER BY t.invoiceid, t.id ASC
 LIMIT ? OFFSET ?

-- payments where there are many: '', '*[^0-9]*', '', '*[^0-9]*', ^0, ^1, ^2, ^3, $3, ^4, 0
SELECT w.c0, w.c1, w.c2, w.c3, w.c4
FROM (SELECT t.amount AS c0, t.paymentmode AS c1, t.id AS c2, CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CASE WHEN (t.paymentmode != ? AND NOT (t.paymentmode GLOB ?)) THEN CAST(t.paymentmode AS INTEGER) END ELSE NULL END AS c3, t.invoiceid AS c4, row_number() OVER (PARTITION BY t.invoiceid ORDER BY t.id ASC) AS n
FROM tblinvoicepaymentrecords AS t
WHERE t.invoiceid IN (?, ?, ?, ?)) AS w
WHERE w.n <= ? ORDER BY w.n
 LIMIT ? OFFSET ?

-- payments.payment_mode of 1 parent: ^0, ^1, 0
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (?) ORDER BY t.id ASC
 LIMIT ? OFFSET ?

-- payments.payment_mode of 4 parents: ^0, ^1, ^2, ^3, ^4, 0
SELECT t.name, t.id
FROM tblpayment_modes AS t
WHERE t.id IN (?, ?, ?, ?) ORDER BY t.id, t.id ASC
 LIMIT ? OFFSET ?
