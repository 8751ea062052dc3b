# Send one request by Faraday; print its status.
require "faraday"
answer = ARGV[1] ? Faraday.post(ARGV[0], ARGV[1]) : Faraday.get(ARGV[0])
puts answer.status
