#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/ingress/request_reader.h"
#include "core/ingress/sender.h"

namespace {

using hookswitch::RequestReader;
using State = RequestReader::State;

struct Read {
  State state = State::kHead;
  std::string method, path, query, body;
  std::size_t headers = 0;
  friend bool operator==(const Read&, const Read&) = default;
};

// Reads the requests in `bytes` as a connection does, offering at most `step` new bytes at a time. Bodies over 4096
// bytes are refused, or, up to `max_dropped`, dropped.
std::vector<Read> ReadAll(std::string_view bytes, std::size_t step, std::uint64_t max_dropped) {
  RequestReader reader;
  std::vector<Read> requests;
  std::string pending;
  std::size_t offered = 0;
  while (requests.size() < 8) {
    reader.Reset(4096);
    bool length_checked = false;
    for (;;) {
      pending.erase(0, reader.Feed(pending));
      if (!length_checked && reader.state() != State::kHead) {
        if (reader.state() != State::kRefused) reader.LimitBody(4096, max_dropped);
        reader.CheckLength();
        length_checked = true;
      }
      if (reader.state() == State::kComplete || reader.state() == State::kRefused) break;
      if (reader.state() == State::kHeadDone && !pending.empty()) continue;
      HSW_CHECK(pending.size() < RequestReader::kMaxUnused, "the reader never leaves a full buffer unused");
      if (offered == bytes.size()) {
        reader.End();
        HSW_CHECK(reader.state() == State::kRefused, "an unfinished request never looks whole");
        break;
      }
      const std::size_t count = std::min(step, bytes.size() - offered);
      pending += bytes.substr(offered, count);
      offered += count;
    }
    Read read{reader.state(), "", "", "", "", 0};
    if (reader.state() == State::kRefused) {
      HSW_CHECK(reader.problem().status >= 400 && !reader.problem().detail.empty(), "a refusal says why");
    } else {
      read = {reader.state(), reader.method(), reader.path(), reader.query(), reader.body(), reader.headers().size()};
      HSW_CHECK(read.body.size() <= 4096, "the body's limit holds");
      HSW_CHECK(!reader.body_dropped() || (read.body.empty() && max_dropped != 0), "nothing is left of a dropped body");
      HSW_CHECK(read.headers <= RequestReader::kMaxHeaders, "the limit of headers holds");
      hookswitch::ParseSender(read.path);
    }
    requests.push_back(std::move(read));
    if (requests.back().state == State::kRefused || (offered == bytes.size() && pending.empty())) break;
  }
  return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::uint64_t max_dropped : {0, 8192}) {
    const auto whole = ReadAll(bytes, 64 * 1024, max_dropped);
    // What a request says must not depend on how the network cut it.
    HSW_CHECK(whole == ReadAll(bytes, 1, max_dropped), "bytes one by one are the same requests");
    HSW_CHECK(whole == ReadAll(bytes, 7, max_dropped), "bytes in small pieces are the same requests");
  }
  return 0;
}
