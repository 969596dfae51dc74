// Poco is not built with the thread sanitizer, so the reference counts of its sockets are invisible to it: the
// acceptor's delete of a socket that a pool thread has used looks unordered.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_suppressions() {
  return "race:Poco::Net::TCPServer::run\n";
}
