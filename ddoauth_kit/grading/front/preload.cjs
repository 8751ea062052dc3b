// Lead every connection of a Node process to another machine through the front.
// Node 20 and 22 know no proxy of their own. The front gets the host's name before any DNS lookup.
// The request for a tunnel has a header that asks the front to stay silent, so that the client's
// own bytes may follow at once and no answer has to be read here.
'use strict';

const front = /^(.+):(\d+)$/.exec(process.env.DDOAUTH_FRONT || '');
if (front) install(front[1], Number(front[2]));

function install(frontHost, frontPort) {
  const net = require('node:net');
  const os = require('node:os');
  const tls = require('node:tls');
  const connectSocket = net.Socket.prototype.connect;
  const connectTls = tls.connect;

  net.Socket.prototype.connect = function connect(...given) {
    const list = Array.isArray(given[0]) ? given[0] : given;
    const options = fromArguments(list, false);
    if (this instanceof tls.TLSSocket || isHere(options)) return connectSocket.apply(this, given);
    const done = list.find((argument) => typeof argument === 'function');
    return throughFront(this, options, options.host, done);
  };

  tls.connect = function connect(...given) {
    const options = fromArguments(given, true);
    if (options.socket || isHere(options)) return connectTls.apply(this, given);
    const named = net.isIP(options.host) && options.servername ? options.servername : options.host;
    const socket = throughFront(new net.Socket(), {port: options.port}, named);
    const secured = connectTls.call(
      this,
      {...options, socket, path: undefined},
      given.find((argument) => typeof argument === 'function'),
    );
    if (options.timeout) secured.setTimeout(options.timeout);
    return secured;
  };

  require('node:module').syncBuiltinESMExports();

  function throughFront(socket, options, name, done) {
    const target = `${name.includes(':') ? `[${name}]` : name}:${options.port}`;
    const kept = {...options, host: frontHost, port: frontPort};
    for (const own of ['path', 'lookup', 'localAddress', 'localPort', 'family', 'hints']) {
      delete kept[own];
    }
    connectSocket.call(socket, kept, done);
    // Written before anybody else can write: the socket sends in this order.
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nDdoauth-Front: silent\r\n\r\n`);
    return socket;
  }

  function isHere(options) {
    if (options.path || options.fd !== undefined || !options.port) return true;
    const host = String(options.host || 'localhost').toLowerCase().replace(/^\[|\]$/g, '');
    if (host === 'localhost' || host.endsWith('.localhost')) return true;
    if (host === os.hostname().toLowerCase()) return true;
    if (!net.isIP(host)) return false;
    if (/^(::ffff:)?127\.|^(::1?|0\.0\.0\.0)$/.test(host)) return true;
    const cards = Object.values(os.networkInterfaces()).flat();
    return cards.some((card) => card.address === host);
  }
}

// connect(options), connect(port, host) and connect(path); TLS takes options last as well.
function fromArguments(list, secured) {
  const [first, second] = list;
  let options = {};
  if (first !== null && typeof first === 'object') {
    options = {...first};
  } else if (typeof first === 'string' && !/^\d+$/.test(first)) {
    options = {path: first};
  } else {
    options = {port: first, host: typeof second === 'string' ? second : undefined};
    const last = list.slice(1).find((argument) => argument && typeof argument === 'object');
    if (secured && last) options = {...options, ...last};
  }
  if (options.port !== undefined) options.port = Number(options.port);
  options.host = options.host || options.hostname;
  return options;
}
