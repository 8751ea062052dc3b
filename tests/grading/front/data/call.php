<?php
// Send one request by curl; print its status.
$link = curl_init($argv[1]);
curl_setopt($link, CURLOPT_RETURNTRANSFER, true);
if (isset($argv[2])) {
    curl_setopt($link, CURLOPT_POSTFIELDS, $argv[2]);
}
curl_exec($link);
echo curl_getinfo($link, CURLINFO_RESPONSE_CODE), "\n";
