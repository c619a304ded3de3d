// Builds DNS queries for tests, and reads responses record by record.
#pragma once

#include "boot/dns/message.hpp"
#include "boot/test_support.hpp"

#include <string>
#include <vector>

namespace drover::boot::dns::test {

inline Name name(std::string_view text) {
  const auto parsed = Name::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Name{});
}

inline std::string number16(uint16_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

struct Asked {
  uint16_t id = 0x1234;
  uint16_t flags = 0x0100;
  uint16_t klass = kIn;
  std::string additional;  ///< records as they are sent, counted
  uint16_t additional_count = 0;
};

/// An OPT record.
inline Asked edns(uint16_t size, uint8_t version = 0, bool dnssec_ok = false) {
  Asked asked;
  asked.additional = std::string(1, '\0') + number16(kOpt) + number16(size) + '\0' +
                     static_cast<char>(version) + number16(dnssec_ok ? 0x8000 : 0) + number16(0);
  asked.additional_count = 1;
  return asked;
}

inline std::string query(std::string_view text, uint16_t type, const Asked& asked = {}) {
  return number16(asked.id) + number16(asked.flags) + number16(1) + number16(0) + number16(0) +
         number16(asked.additional_count) + std::string(name(text).wire()) + number16(type) +
         number16(asked.klass) + asked.additional;
}

struct Record {
  int section = 0;  ///< 1 answer, 2 authority, 3 additional
  std::string owner;
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string data;  ///< an address, a name, or hexadecimal
};

/// A response taken apart; every length is checked.
struct Response {
  explicit Response(std::string_view bytes) {
    Reader reader(bytes);
    id = reader.u16();
    flags = reader.u16();
    const uint16_t questions = reader.u16();
    const std::array<uint16_t, 3> counts = {reader.u16(), reader.u16(), reader.u16()};
    size_t at = kHeaderSize;
    for (uint16_t i = 0; i < questions; ++i) {
      const auto asked = Name::read(bytes, at);
      good = good && asked.has_value();
      if (!good) return;
      question = asked->text();
      at += 4;
    }
    for (size_t section = 0; section < 3; ++section) {
      for (uint16_t i = 0; i < counts[section] && good; ++i) {
        good = read_record(bytes, at, static_cast<int>(section) + 1);
      }
    }
    good = good && at == bytes.size();
  }

  bool read_record(std::string_view bytes, size_t& at, int section) {
    const auto owner = Name::read(bytes, at);
    if (!owner) return false;
    Reader reader(bytes.substr(at));
    Record record;
    record.section = section;
    record.owner = owner->text();
    record.type = reader.u16();
    const uint16_t klass = reader.u16();
    record.ttl = reader.u32();
    const uint16_t length = reader.u16();
    const size_t data_at = at + 10;
    const std::string_view data = reader.take(length);
    if (!reader.ok()) return false;
    at = data_at + length;
    size_t inside = data_at;
    if (record.type == kOpt) {
      opt_size = klass;
      extended_rcode = static_cast<int>(record.ttl >> 24);
      return owner->labels() == 0;
    }
    if (record.type == kA && length == 4) {
      record.data = Ipv4{Reader(data).u32()}.text();
    } else if (record.type == kAaaa && length == 16) {
      record.data = Ipv6::from(data)->text();
    } else if (const auto target = Name::read(bytes, inside)) {
      record.data = target->text();
    }
    records.push_back(record);
    return klass == kIn;
  }

  [[nodiscard]] int rcode() const { return (flags & 15) | extended_rcode << 4; }
  [[nodiscard]] bool authoritative() const { return (flags & 0x0400) != 0; }
  [[nodiscard]] bool truncated() const { return (flags & 0x0200) != 0; }
  /// "answer n1.cluster.test 1 10.77.0.113", one for each record.
  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const Record& record : records) {
      const char* const sections[] = {"", "answer ", "authority ", "additional "};
      out.push_back(sections[record.section] + record.owner + " " + std::to_string(record.type) +
                    " " + record.data);
    }
    return out;
  }

  bool good = true;
  uint16_t id = 0;
  uint16_t flags = 0;
  std::string question;
  std::vector<Record> records;
  uint16_t opt_size = 0;
  int extended_rcode = 0;
};

}  // namespace drover::boot::dns::test
