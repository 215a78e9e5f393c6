-- rows: $0
SELECT t.id, t.allowed_payment_modes
FROM tblinvoices AS t
WHERE t.id = %s
