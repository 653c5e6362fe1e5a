-- What erasing is to come to, written by hand and with no regard to how the program goes about it.
-- Midnight of 21 November 2023 in Vienna is 23:00 of the day before in UTC.
CREATE TEMP TABLE due AS SELECT id FROM auth_user
  WHERE last_login < '2023-11-20 23:00:00' OR (last_login IS NULL AND date_joined < '2021-11-20 23:00:00');
CREATE TEMP TABLE theirs AS SELECT id FROM order_order WHERE user_id IN (SELECT id FROM due);

DELETE FROM address_useraddress WHERE user_id IN (SELECT id FROM due);
DELETE FROM analytics_userrecord WHERE user_id IN (SELECT id FROM due);
DELETE FROM analytics_usersearch WHERE user_id IN (SELECT id FROM due);
DELETE FROM communication_email WHERE user_id IN (SELECT id FROM due);
DELETE FROM customer_productalert WHERE user_id IN (SELECT id FROM due);
DELETE FROM payment_bankcard WHERE user_id IN (SELECT id FROM due);
DELETE FROM communication_notification WHERE recipient_id IN (SELECT id FROM due);
DELETE FROM wishlists_line WHERE wishlist_id IN (SELECT id FROM wishlists_wishlist WHERE owner_id IN (SELECT id FROM due));
DELETE FROM wishlists_wishlist WHERE owner_id IN (SELECT id FROM due);
DELETE FROM basket_line WHERE basket_id IN (SELECT id FROM basket_basket WHERE owner_id IN (SELECT id FROM due));
UPDATE order_order SET basket_id = NULL WHERE basket_id IN (SELECT id FROM basket_basket WHERE owner_id IN (SELECT id FROM due));
DELETE FROM basket_basket WHERE owner_id IN (SELECT id FROM due);
UPDATE order_order SET guest_email = '' WHERE id IN (SELECT id FROM theirs);
UPDATE order_shippingaddress SET title = '', first_name = '', last_name = '', line1 = '', line2 = '', line3 = '', line4 = '',
  state = '', postcode = '', search_text = '', phone_number = '', notes = ''
  WHERE id IN (SELECT shipping_address_id FROM order_order WHERE id IN (SELECT id FROM theirs));
UPDATE order_billingaddress SET title = '', first_name = '', last_name = '', line1 = '', line2 = '', line3 = '', line4 = '',
  state = '', postcode = '', search_text = ''
  WHERE id IN (SELECT billing_address_id FROM order_order WHERE id IN (SELECT id FROM theirs));
UPDATE payment_source SET label = '', reference = '' WHERE order_id IN (SELECT id FROM theirs);
UPDATE order_ordernote SET message = 'erased' WHERE order_id IN (SELECT id FROM theirs);
UPDATE order_ordernote SET user_id = NULL WHERE user_id IN (SELECT id FROM due);
UPDATE reviews_productreview SET user_id = NULL, title = '', body = '', name = '', email = '', homepage = ''
  WHERE user_id IN (SELECT id FROM due);
DELETE FROM auth_user WHERE id IN (SELECT id FROM due) AND id NOT IN (SELECT user_id FROM order_order WHERE user_id IS NOT NULL);
UPDATE auth_user SET password = '', last_login = NULL, username = 'erased-' || id, first_name = 'erased', last_name = 'erased',
  email = 'erased-' || id || '@invalid', date_joined = substr(date_joined, 1, 4) || '-01-01 00:00:00.000000'
  WHERE id IN (SELECT id FROM due);
