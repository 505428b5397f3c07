package sender

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/rxipc/rxipc/socket"
)

// A record of a spool is a header of two numbers, the length of the body and the checksum
// (CRC-32C) of that number and the body, and the body: the length of the media type in two bytes,
// the media type, and the content. Numbers are big endian.
const recordHeader = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errShort says that there are fewer bytes than the record has.
var errShort = errors.New("the record is not complete")

// recordSize returns the length of the record of a message.
func recordSize(m socket.Message) int64 {
	return recordHeader + 2 + int64(len(m.MediaType().String())) + int64(m.Len())
}

// appendRecord appends the record of a message.
func appendRecord(b []byte, m socket.Message) []byte {
	start, mediaType := len(b), m.MediaType().String()
	b = binary.BigEndian.AppendUint32(b, uint32(recordSize(m)-recordHeader))
	b = append(b, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(len(mediaType)))
	b = append(b, mediaType...)
	b = append(b, m.Content()...)
	binary.BigEndian.PutUint32(b[start+4:], checksum(b[start:]))
	return b
}

// checksum returns the checksum of a record.
func checksum(record []byte) uint32 {
	return crc32.Update(crc32.Checksum(record[:4], castagnoli), castagnoli, record[recordHeader:])
}

// decodeRecord decodes the record at the beginning of b, and returns its length. If b ends before
// the record does, it fails with errShort; size is then the length that it needs to go on.
func decodeRecord(b []byte) (m socket.Message, size int64, err error) {
	if len(b) < recordHeader {
		return m, recordHeader, errShort
	}
	size = recordHeader + int64(binary.BigEndian.Uint32(b))
	if int64(len(b)) < size {
		return m, size, errShort
	}
	record := b[:size]
	if size < recordHeader+2 || checksum(record) != binary.BigEndian.Uint32(record[4:]) {
		return m, size, fmt.Errorf("%w: the checksum does not match", ErrCorrupt)
	}
	body := record[recordHeader:]
	length := int(binary.BigEndian.Uint16(body))
	if body = body[2:]; length > len(body) {
		return m, size, fmt.Errorf("%w: the media type is longer than the record", ErrCorrupt)
	}
	mediaType, err := socket.ParseMediaType(string(body[:length]))
	if err != nil {
		return m, size, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return socket.NewMessageBytes(mediaType, body[length:]), size, nil
}
