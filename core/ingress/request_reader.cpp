#include "core/ingress/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <optional>

#include "core/base/encoding.h"
#include "core/base/text.h"

// Poco's own request parser unfolds lines, decodes RFC 2047 words, takes the first of two lengths and cannot tell a
// truncated chunked body from a complete one. Boost.Beast's parser takes bytes, knows when a message is complete and
// has a strict grammar; what it still allows (repeated equal lengths, other codings, folding) is rejected here.
namespace hookswitch {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using View = boost::beast::string_view;

// A body buffer beyond this is not kept for the next request.
constexpr std::size_t kKeptBody = 32 * 1024;

constexpr std::string_view kShortestLastChunk = "0\r\n\r\n";
constexpr std::string_view kEndOfHead = "\r\n\r\n";

std::string_view ToStd(View view) {
  return {view.data(), view.size()};
}

// A folded line begins with a blank.
bool HasFoldedLine(std::string_view head) {
  for (auto at = head.find('\n'); at != head.npos && at + 1 < head.size(); at = head.find('\n', at + 1)) {
    if (head[at + 1] == ' ' || head[at + 1] == '\t') return true;
  }
  return false;
}

}  // namespace

class RequestReader::Parser final {
 public:
  // The library's parser cannot be used twice, so each request gets a new one in the same place.
  class Message final : public http::basic_parser<true> {
   public:
    explicit Message(RequestReader& owner) : owner_(owner) {
      header_limit(kMaxHead);
      body_limit(boost::none);  // checked by CheckLength and on_chunk_header_impl, after the head is judged
    }

    int content_lengths = 0;
    int transfer_encodings = 0;
    bool plain_framing = true;
    int hosts = 0;
    bool too_large = false;

   private:
    void on_request_impl(http::verb, View method, View target, int version, error_code&) override {
      owner_.method_.assign(method.data(), method.size());
      owner_.target_.assign(target.data(), target.size());
      owner_.http11_ = version == 11;
    }
    void on_response_impl(int, View, int, error_code&) override {}
    void on_field_impl(http::field field, View name, View value, error_code& ec) override {
      if (owner_.state_ != State::kHead) return;  // trailers are ignored
      if (owner_.headers_.size() == kMaxHeaders) {
        ec = http::error::header_limit;
        return;
      }
      if (field == http::field::content_length) {
        ++content_lengths;
        plain_framing =
            plain_framing && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
      } else if (field == http::field::transfer_encoding) {
        ++transfer_encodings;
        plain_framing = plain_framing && EqualsIgnoreCase(ToStd(value), "chunked");
      } else if (field == http::field::host) {
        ++hosts;
      } else if (field == http::field::expect) {
        owner_.expects_continue_ = EqualsIgnoreCase(ToStd(value), "100-continue");
      }
      owner_.headers_.emplace_back(ToStd(name), ToStd(value));
    }
    void on_header_impl(error_code&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
      // The announced bytes may never arrive.
      if (length) owner_.body_.reserve(std::min({*length, owner_.max_body_, kKeptBody}));
    }
    std::size_t on_body_impl(View piece, error_code&) override {
      owner_.Take(ToStd(piece));
      return piece.size();
    }
    void on_chunk_header_impl(std::uint64_t size, View, error_code& ec) override {
      if (!owner_.Expect(size)) {
        too_large = true;
        ec = http::error::body_limit;
      }
    }
    std::size_t on_chunk_body_impl(std::uint64_t, View piece, error_code&) override {
      owner_.Take(ToStd(piece));
      return piece.size();
    }
    void on_finish_impl(error_code&) override {}

    RequestReader& owner_;
  };

  std::optional<Message> message;
};

RequestReader::RequestReader() : parser_(std::make_unique<Parser>()) {}
RequestReader::~RequestReader() = default;

void RequestReader::Reset(std::uint64_t max_body) {
  parser_->message.emplace(*this);
  state_ = State::kHead;
  LimitBody(max_body);
  received_ = 0;
  body_dropped_ = false;
  began_ = false;
  method_.clear();
  target_.clear();
  path_.clear();
  query_.clear();
  headers_.clear();
  http11_ = true;
  if (body_.capacity() > kKeptBody) std::string().swap(body_);
  body_.clear();
  expects_continue_ = false;
}

void RequestReader::LimitBody(std::uint64_t max_body, std::uint64_t max_dropped) {
  max_body_ = max_body;
  max_dropped_ = max_dropped;
}

bool RequestReader::Expect(std::uint64_t more) {
  if (!body_dropped_ && more <= max_body_ - received_) return true;
  if (received_ > max_dropped_ || more > max_dropped_ - received_) return false;
  DropBody();
  return true;
}

void RequestReader::Take(std::string_view piece) {
  received_ += piece.size();
  if (!body_dropped_) body_.append(piece);
}

void RequestReader::DropBody() {
  body_dropped_ = true;
  std::string().swap(body_);
}

std::string RequestReader::OverLimit() const {
  return "the body is over " + std::to_string(std::max(max_body_, max_dropped_)) + " bytes";
}

void RequestReader::Refuse(int status, std::string_view error, std::string detail) {
  state_ = State::kRefused;
  problem_ = {status, error, std::move(detail)};
}

std::size_t RequestReader::Feed(std::string_view bytes) {
  if (state_ == State::kComplete || state_ == State::kRefused || bytes.empty()) return 0;
  std::size_t skipped = 0;
  if (!began_) {
    // RFC 9112 2.2: an empty line before the request line is ignored.
    if (bytes.front() == '\r') {
      if (bytes.size() < 2) return 0;
      if (bytes[1] == '\n') skipped = 2;
    }
    began_ = true;
    bytes.remove_prefix(skipped);
    if (bytes.empty()) return skipped;
  }
  auto& message = *parser_->message;
  error_code ec;
  const bool in_head = state_ == State::kHead;
  if (!in_head && message.chunked() && bytes.size() < kShortestLastChunk.size()) {
    // No unfinished chunked body can end in fewer bytes, and Beast 1.81 asserts that it is not offered fewer.
    state_ = State::kBody;
    return 0;
  }
  message.eager(!in_head);
  const std::size_t used = message.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (in_head && HasFoldedLine(bytes.substr(0, used))) {
    Refuse(400, "invalid_request", "a header line is folded");
  } else if (ec && ec != http::error::need_more) {
    if (message.too_large) {
      Refuse(413, "too_large", OverLimit());
    } else if (ec == http::error::header_limit) {
      Refuse(400, "invalid_request",
             "the head is over " + std::to_string(kMaxHead) + " bytes or " + std::to_string(kMaxHeaders) + " headers");
    } else {
      Refuse(400, "invalid_request", "not well-formed HTTP: " + ec.message());
    }
  } else if (in_head) {
    if (message.is_header_done()) {
      CheckHead();
    } else if (used == 0 && bytes.find(kEndOfHead) != bytes.npos) {
      // Beast waits for more of a request line that is too short to hold a version.
      Refuse(400, "invalid_request", "the request line has no HTTP version");
    }
  } else {
    state_ = message.is_done() ? State::kComplete : State::kBody;
    if (state_ == State::kBody && bytes.size() - used >= kMaxUnused) {
      Refuse(400, "invalid_request", "a chunk's head is too long");
    }
  }
  return skipped + used;
}

void RequestReader::CheckHead() {
  const auto& message = *parser_->message;
  if (!message.plain_framing || message.content_lengths + message.transfer_encodings > 1 ||
      (message.transfer_encodings != 0 && !http11_)) {
    return Refuse(400, "invalid_request",
                  "wanted exactly one Content-Length of digits, or exactly \"Transfer-Encoding: chunked\"");
  }
  if (message.hosts > 1 || (http11_ && message.hosts == 0)) {
    return Refuse(400, "invalid_request", "wanted exactly one Host header");
  }
  if (target_.size() > kMaxTarget) {
    return Refuse(400, "invalid_request", "the URL is over " + std::to_string(kMaxTarget) + " bytes");
  }
  state_ = State::kHeadDone;
  SplitTarget();
  if (state_ == State::kHeadDone && message.is_done()) state_ = State::kComplete;
}

void RequestReader::SplitTarget() {
  std::string_view target = target_;
  if (target.front() != '/') {
    // RFC 9112 3.2.2: the absolute form must be understood.
    const auto scheme = target.find("://");
    const auto path = scheme == target.npos ? target.npos : target.find_first_of("/?", scheme + 3);
    if (scheme == target.npos) return Refuse(400, "invalid_request", "the URL does not begin with /");
    target_ = path == target.npos ? std::string("/") : target_.substr(path);
    target = target_;
  }
  const auto mark = target.find('?');
  query_ = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  if (!PercentDecodeStrict(target.substr(0, mark), false, path_)) {
    return Refuse(400, "invalid_request", "the URL's path has a broken percent escape");
  }
  if (path_.empty()) path_ = "/";
}

void RequestReader::CheckLength(bool required) {
  const auto& message = *parser_->message;
  if (state_ == State::kRefused) return;
  const bool has_length = message.content_lengths + message.transfer_encodings != 0;
  if (required && !has_length && (method_ == "POST" || method_ == "PUT" || method_ == "PATCH")) {
    return Refuse(411, "length_required", method_ + " needs Content-Length or Transfer-Encoding: chunked");
  }
  if (!Expect(message.content_length().value_or(0))) Refuse(413, "too_large", OverLimit());
}

void RequestReader::End() {
  if (state_ == State::kComplete || state_ == State::kRefused) return;
  Refuse(
      400, "invalid_request",
      state_ == State::kHead ? "the request ended within its head" : "the request ended before its body was complete");
}

bool RequestReader::keep_alive() const {
  return parser_->message->keep_alive();
}

}  // namespace hookswitch
