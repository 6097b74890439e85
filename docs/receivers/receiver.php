<?php
// Receives webhooks with PHP alone, from version 8.1 on. To try it:
//
//     WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:3000 receiver.php

declare(strict_types=1);

const TOLERANCE_SECONDS = 5 * 60;

// What comes in a request must not be shown in the answer, and a warning must not become a 200.
ini_set('display_errors', '0');
set_error_handler(fn (int $level, string $message) => throw new ErrorException($message, 0, $level));
set_exception_handler(function (Throwable $error): void {
    error_log($error->getMessage());
    http_response_code(500); // it will come again
});

if ($_SERVER['REQUEST_METHOD'] !== 'POST' || $_SERVER['REQUEST_URI'] !== '/webhooks') {
    http_response_code(404);
    exit;
}

// As it came: parsed and written again, it would not be what was signed.
$body = file_get_contents('php://input');
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';

if (!is_genuine($id, $timestamp, $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '', $body)) {
    http_response_code(400);
    exit;
}
keep($id, $body);
http_response_code(204);

function is_genuine(string $id, string $timestamp, string $signatures, string $body): bool
{
    if ($id === '' || !ctype_digit($timestamp) || abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', (string) getenv('WEBHOOK_SECRET')), true);
    if (strlen((string) $key) < 24) {
        throw new RuntimeException('WEBHOOK_SECRET is missing'); // an empty key would fit a forger's signature
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // During a rotation there are several signatures; one that fits is enough.
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

// Answer only when the event is safe, and leave the work to another process, which takes files from the inbox.
// The same id again is the same event, and is kept once. With a database: INSERT … ON CONFLICT (id) DO NOTHING.
function keep(string $id, string $body): void
{
    $inbox = getenv('INBOX') ?: 'inbox';
    if (!is_dir($inbox)) {
        mkdir($inbox, recursive: true);
    }
    $kept = "$inbox/$id.json";
    $draft = "$inbox/." . bin2hex(random_bytes(16));
    $file = fopen($draft, 'x');
    fwrite($file, $body);
    fsync($file);
    fclose($file);
    try {
        link($draft, $kept); // whole, or not at all
    } catch (ErrorException $error) {
        if (!file_exists($kept)) {
            throw $error;
        }
    } finally {
        unlink($draft);
    }
}
