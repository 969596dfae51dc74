#include "core/config/verify_config.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/config/map_reader.h"
#include "core/config/secrets.h"

namespace hookswitch::config {
namespace {

using Scheme = Verify::Scheme;

constexpr std::array kSchemes = {Scheme::kHmac, Scheme::kStandardWebhooks, Scheme::kTwilio, Scheme::kPlivo,
                                 Scheme::kJwt,  Scheme::kEd25519,          Scheme::kBasic};

// The keys of each scheme, apart from `scheme` itself.
std::vector<std::string> KeysOf(Scheme scheme) {
  switch (scheme) {
    case Scheme::kHmac:
      return {"secret",          "header", "part",      "prefix", "algorithm", "encoding",
              "secret_encoding", "signed", "timestamp", "id",     "tolerance"};
    case Scheme::kStandardWebhooks: return {"secret", "tolerance"};
    case Scheme::kTwilio: return {"secret"};
    case Scheme::kPlivo: return {"secret", "signature_version"};
    case Scheme::kJwt: return {"secret", "header", "algorithm", "secret_encoding", "body_claim", "issuer", "tolerance"};
    case Scheme::kEd25519:
      return {"secret", "public_key", "header", "part", "prefix", "encoding", "signed", "timestamp", "id", "tolerance"};
    case Scheme::kBasic: return {"user", "secret"};
  }
  Unreachable();
}

// The names of placeholders, by what they stand for; those that take a name after a colon are not among them.
constexpr std::array<std::pair<std::string_view, SignedPart::Kind>, 7> kPlaceholders = {
    {{"body", SignedPart::Kind::kBody},
     {"body_md5", SignedPart::Kind::kBodyMd5},
     {"timestamp", SignedPart::Kind::kTimestamp},
     {"id", SignedPart::Kind::kId},
     {"url", SignedPart::Kind::kUrl},
     {"path", SignedPart::Kind::kPath},
     {"method", SignedPart::Kind::kMethod}}};

std::optional<SignedPart> PlaceholderOf(std::string_view name) {
  for (const auto& [known, kind] : kPlaceholders) {
    if (name == known) return SignedPart{kind, {}};
  }
  for (const auto& [known, kind] : {std::pair(std::string_view("header:"), SignedPart::Kind::kHeader),
                                    std::pair(std::string_view("json:"), SignedPart::Kind::kJson)}) {
    if (name.starts_with(known) && name.size() > known.size()) {
      return SignedPart{kind, std::string(name.substr(known.size()))};
    }
  }
  return {};
}

class VerifyReader {
 public:
  VerifyReader(const Node& map, std::string_view at, const Environment& environment, Problems& problems)
      : map_(map), reader_(&map, std::string(at), problems), environment_(environment), problems_(problems) {}

  std::optional<Verify> Read(const Node::Entry& entry, std::string_view public_url) {
    verify_.where = entry.key_where;
    width_ = KeyWidth(entry);
    if (!ReadScheme()) return {};
    CheckKeys();
    ReadForm();
    ReadTimestamp();
    if (is_of({Scheme::kHmac, Scheme::kEd25519})) ReadSigned();
    ReadSecrets();
    CheckUrl(public_url);
    return std::move(verify_);
  }

 private:
  bool is_of(std::initializer_list<Scheme> schemes) const {
    return std::ranges::find(schemes, verify_.scheme) != schemes.end();
  }
  std::string Of() const { return " with scheme " + std::string(ToString(verify_.scheme)); }

  void Missing(std::string_view key) {
    if (!HasFaultyKey(map_, problems_)) ErrorAtStart(reader_.Name(key) + " is missing" + Of());
  }

  void ErrorAtStart(std::string message, std::string hint = {}) {
    problems_.Error(verify_.where, width_, std::move(message), std::move(hint));
  }

  bool ReadScheme() {
    const Node* scheme = reader_.Scalar("scheme");
    if (!scheme) {
      if (!map_.Find("scheme")) {
        ErrorAtStart(reader_.Name("scheme") + " is missing",
                     "one of hmac, standard-webhooks, twilio, plivo, jwt, ed25519 and basic");
      }
      return false;
    }
    const auto known = std::ranges::find(kSchemes, scheme->scalar, [](Scheme one) { return ToString(one); });
    if (known == kSchemes.end()) return false;
    verify_.scheme = *known;
    return true;
  }

  void CheckKeys() {
    const auto keys = KeysOf(verify_.scheme);
    for (const Node::Entry& entry : map_.map) {
      if (entry.key == "scheme" || std::ranges::find(keys, entry.key) != keys.end()) continue;
      if (problems_.HasErrorAt(entry.key_where)) continue;
      problems_.Error(entry.key_where, KeyWidth(entry), reader_.Name(entry.key) + " has no meaning" + Of(),
                      "it takes " + Joined(keys));
    }
  }

  void ReadForm() {
    for (const Node* name : OneOrMany(reader_.Get("header"))) verify_.headers.push_back(name->scalar);
    if (verify_.headers.empty() && verify_.scheme == Scheme::kJwt) verify_.headers = {"Authorization"};
    if (verify_.headers.empty() && is_of({Scheme::kHmac, Scheme::kEd25519})) Missing("header");
    reader_.Text("part", verify_.part);
    if (verify_.part.ends_with('=')) verify_.part.pop_back();
    reader_.Text("prefix", verify_.prefix);
    if (std::ranges::count(verify_.prefix, '*') > 1) {
      reader_.Error(*reader_.Scalar("prefix"), reader_.Name("prefix") + " may have one *, which stands for any text");
    }
    if (const Node* word = reader_.Scalar("algorithm")) {
      verify_.algorithm = word->scalar == "sha1"     ? HashAlgorithm::kSha1
                          : word->scalar == "sha384" ? HashAlgorithm::kSha384
                          : word->scalar == "sha512" ? HashAlgorithm::kSha512
                                                     : HashAlgorithm::kSha256;
      if (verify_.scheme == Scheme::kJwt && verify_.algorithm == HashAlgorithm::kSha1) {
        reader_.Error(*word, reader_.Name("algorithm") + ": there is no JWT with sha1");
      }
    }
    if (verify_.scheme == Scheme::kEd25519) verify_.encoding = Verify::Encoding::kBase64;
    if (const Node* word = reader_.Scalar("encoding")) {
      verify_.encoding = word->scalar == "base64" ? Verify::Encoding::kBase64 : Verify::Encoding::kHex;
    }
    if (const Node* word = reader_.Scalar("signature_version")) verify_.plivo_version = word->scalar == "v2" ? 2 : 3;
    reader_.Text("body_claim", verify_.body_claim);
    for (const Node* name : OneOrMany(reader_.Get("issuer"))) verify_.issuers.push_back(name->scalar);
    reader_.Text("user", verify_.user);
    if (verify_.scheme == Scheme::kBasic && verify_.user.empty()) Missing("user");
    MapReader(reader_.Get("id"), reader_.Name("id"), problems_).Text("header", verify_.id_header);
    reader_.Duration("tolerance", verify_.tolerance, MapReader::Zero::kRefused);
  }

  void ReadTimestamp() {
    const Node* node = reader_.Get("timestamp");
    if (!node || node->kind != Node::Kind::kMap) return;
    const MapReader reader(node, reader_.Name("timestamp"), problems_);
    reader.Text("header", verify_.timestamp_header);
    reader.Text("from", verify_.timestamp_part);
    if (verify_.timestamp_part.ends_with('=')) verify_.timestamp_part.pop_back();
    if (const Node* word = reader.Scalar("unit")) {
      verify_.timestamp_unit = word->scalar == "s"     ? Verify::TimeUnit::kSeconds
                               : word->scalar == "ms"  ? Verify::TimeUnit::kMilliseconds
                               : word->scalar == "iso" ? Verify::TimeUnit::kIso
                                                       : Verify::TimeUnit::kAuto;
    }
    if (verify_.timestamp_header.empty() == verify_.timestamp_part.empty()) {
      reader_.Error(*node, reader_.Name("timestamp") + " needs exactly one of header and from");
    }
  }

  void ReadSigned() {
    const Node* node = reader_.Scalar("signed");
    if (node) {
      ReadTemplate(*node);
    } else {
      verify_.signed_text = {{SignedPart::Kind::kBody, {}}};
    }
    const auto has = [&](SignedPart::Kind kind) {
      return std::ranges::find(verify_.signed_text, kind, &SignedPart::kind) != verify_.signed_text.end();
    };
    const auto has_header = [&](std::string_view name) {
      return std::ranges::any_of(verify_.signed_text, [&](const SignedPart& part) {
        return part.kind == SignedPart::Kind::kHeader && EqualsIgnoreCase(part.text, name);
      });
    };
    const bool has_time = !verify_.timestamp_header.empty() || !verify_.timestamp_part.empty();
    const auto needs = [&](std::string_view placeholder, std::string_view key) {
      problems_.Error(
          node->where, Width(*node),
          reader_.Name("signed") + " has " + std::string(placeholder) + ", and " + reader_.Name(key) + " is missing");
    };
    if (node && has(SignedPart::Kind::kTimestamp) && !has_time) needs("{timestamp}", "timestamp");
    if (node && has(SignedPart::Kind::kId) && verify_.id_header.empty()) needs("{id}", "id");
    const Node* timestamp = reader_.Get("timestamp");
    if (timestamp && has_time && !has(SignedPart::Kind::kTimestamp) && !has_header(verify_.timestamp_header)) {
      reader_.Error(*timestamp, reader_.Name("timestamp") + " is not signed, so anyone could write a new one",
                    "signed: \"{timestamp}.{body}\", or as the platform documents it");
    }
  }

  void ReadTemplate(const Node& node) {
    std::string_view rest = node.scalar;
    while (!rest.empty()) {
      const auto open = rest.find('{');
      if (open != 0) {
        verify_.signed_text.push_back({SignedPart::Kind::kText, std::string(rest.substr(0, open))});
        rest.remove_prefix(std::min(open, rest.size()));
        continue;
      }
      const auto close = rest.find('}');
      if (close == rest.npos) return reader_.Error(node, reader_.Name("signed") + " has a { without its }");
      const std::string name(rest.substr(1, close - 1));
      const auto part = PlaceholderOf(name);
      if (!part) {
        std::vector<std::string> names = {"header:NAME", "json:PATH"};
        for (const auto& [known, kind] : kPlaceholders) names.emplace_back(known);
        return reader_.Error(node, reader_.Name("signed") + ": \"{" + name + "}\" stands for nothing",
                             DidYouMean(name, names));
      }
      verify_.signed_text.push_back(*part);
      rest.remove_prefix(close + 1);
    }
  }

  void ReadSecrets() {
    std::size_t written = 0;
    for (const std::string_view key : {"secret", "public_key"}) {
      const Node* node = reader_.Get(key);
      if (!node || (key == "public_key" && verify_.scheme != Scheme::kEd25519)) continue;
      const bool is_list = node->kind == Node::Kind::kList;
      for (const Node& one : is_list ? node->list : std::vector<Node>{*node}) {
        ++written;
        auto secret = ResolveSecret(one, reader_.Name(key), environment_, problems_, /*form_is_known=*/MayHaveLines());
        if (secret) AddSecret(one, key, std::move(*secret));
      }
    }
    if (written == 0) Missing(verify_.scheme == Scheme::kEd25519 ? "public_key" : "secret");
  }

  bool MayHaveLines() const { return verify_.scheme == Scheme::kEd25519; }

  void AddSecret(const Node& node, std::string_view key, Secret secret) {
    const std::string fault = FaultOf(secret);
    if (!fault.empty()) reader_.Error(node, reader_.Name(key) + " " + fault);
    if (fault.empty()) verify_.secrets.push_back(std::move(secret));
  }

  // Decodes `secret` if it is a coded one. What is wrong with it; "" if nothing.
  std::string FaultOf(Secret& secret) const {
    const std::string& text = secret.Reveal();
    if (verify_.scheme == Scheme::kEd25519) {
      return Ed25519Key::Parse(text) ? "" : "is no public key of Ed25519: PEM, or 32 bytes in base64 or hex";
    }
    if (verify_.scheme == Scheme::kStandardWebhooks) {
      if (text.starts_with("whpk_")) {
        return Ed25519Key::Parse(std::string_view(text).substr(5)) ? "" : "has no key of 32 bytes behind whpk_";
      }
      const auto plain = std::string_view(text).substr(text.starts_with("whsec_") ? 6 : 0);
      const auto bytes = FromBase64(plain);
      return bytes && !bytes->empty() ? "" : "is not base64, with or without whsec_ before it";
    }
    const Node* word = reader_.Scalar("secret_encoding");
    if (!word || word->scalar == "text") return "";
    const auto bytes = word->scalar == "hex" ? FromHex(text) : FromBase64(text);
    if (!bytes || bytes->empty()) return "is not " + word->scalar + ", as secret_encoding says";
    secret = Secret(*bytes);
    return "";
  }

  void CheckUrl(std::string_view public_url) {
    const bool by_template =
        std::ranges::find(verify_.signed_text, SignedPart::Kind::kUrl, &SignedPart::kind) != verify_.signed_text.end();
    if (!public_url.empty() || (!by_template && !is_of({Scheme::kTwilio, Scheme::kPlivo}))) return;
    const Node* where = by_template ? reader_.Scalar("signed") : reader_.Scalar("scheme");
    const std::string message =
        "the signature covers the URL that the sender calls, which only server.public_url can tell";
    const std::string hint = "set server.public_url, or public_url of the source: https://calls.example.com";
    // What is in the page of a platform is not for the reader to change.
    if (where->where.file != verify_.where.file) return ErrorAtStart(message, hint);
    reader_.Error(*where, message, hint);
  }

  const Node& map_;
  const MapReader reader_;
  const Environment& environment_;
  Problems& problems_;
  Verify verify_;
  int width_ = 1;  // of the key `verify`
};

}  // namespace

std::string_view ToString(Verify::Scheme scheme) {
  switch (scheme) {
    case Scheme::kHmac: return "hmac";
    case Scheme::kStandardWebhooks: return "standard-webhooks";
    case Scheme::kTwilio: return "twilio";
    case Scheme::kPlivo: return "plivo";
    case Scheme::kJwt: return "jwt";
    case Scheme::kEd25519: return "ed25519";
    case Scheme::kBasic: return "basic";
  }
  Unreachable();
}

bool CoversQuery(const Verify& verify) {
  switch (verify.scheme) {
    case Verify::Scheme::kTwilio:
    case Verify::Scheme::kBasic: return true;
    case Verify::Scheme::kPlivo: return verify.plivo_version == 3;
    case Verify::Scheme::kHmac:
    case Verify::Scheme::kEd25519:
      return std::ranges::any_of(verify.signed_text,
                                 [](const SignedPart& part) { return part.kind == SignedPart::Kind::kUrl; });
    case Verify::Scheme::kStandardWebhooks:
    case Verify::Scheme::kJwt: return false;
  }
  Unreachable();
}

Node WithBase(const Node& written, const Node& base) {
  const Node* scheme = written.Find("scheme");
  const Node* base_scheme = base.Find("scheme");
  const bool is_other = scheme && (!base_scheme || scheme->scalar != base_scheme->scalar);
  if (is_other || written.kind != Node::Kind::kMap) return written;
  // A time or an id that the written text does not sign would prove nothing.
  const Node* text = written.Find("signed");
  const auto is_signed = [&](const std::string& key) {
    return (key != "timestamp" && key != "id") || !text || text->scalar.find('{' + key + '}') != std::string::npos;
  };
  Node merged = written;
  for (const Node::Entry& entry : base.map) {
    if (!written.Find(entry.key) && is_signed(entry.key)) merged.map.push_back(entry);
  }
  return merged;
}

std::optional<Verify> MakeVerify(const Node::Entry& entry, const Node* base, std::string_view at,
                                 std::string_view public_url, const Environment& environment, Problems& problems) {
  if (entry.value.kind != Node::Kind::kMap) return {};
  const Node map = base ? WithBase(entry.value, *base) : entry.value;
  return VerifyReader(map, at, environment, problems).Read(entry, public_url);
}

}  // namespace hookswitch::config
