/** What a node says of itself and its cluster: the methods it has, and the gossip. Asked without credentials. */
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type { ClusterInfo, MemberInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import serverFeatures from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { uuidMessage } from './messages.js';
import type { FakeNode, Member } from './node.js';
import { hasBatchAppend } from './version.js';

const STREAMS = 'event_store.client.streams.streams';
/** Names in lower case, with the features a server of today names. */
const METHODS: ReadonlyArray<readonly [service: string, method: string, ...features: string[]]> = [
  [STREAMS, 'read', 'position', 'events'],
  [STREAMS, 'append'],
  [STREAMS, 'delete'],
  [STREAMS, 'tombstone'],
  [STREAMS, 'batchappend', 'deadline_duration'],
  ['event_store.client.gossip.gossip', 'read'],
  ['event_store.client.server_features.serverfeatures', 'getsupportedmethods'],
];

export const handleSupportedMethods =
  ({ version }: FakeNode): handleUnaryCall<Empty, SupportedMethods> =>
  (_call, callback) => {
    const methods = METHODS.filter(([, method]) => method !== 'batchappend' || hasBatchAppend(version));
    const messages = methods.map(([service, method, ...features]) =>
      new serverFeatures.SupportedMethod().setServiceName(service).setMethodName(method).setFeaturesList(features),
    );
    const answer = new serverFeatures.SupportedMethods().setEventStoreServerVersion(version);
    callback(null, answer.setMethodsList(messages));
  };

export const handleGossip =
  ({ members }: FakeNode): handleUnaryCall<Empty, ClusterInfo> =>
  (_call, callback) => {
    callback(null, new gossip.ClusterInfo().setMembersList(members().map(memberInfo)));
  };

function memberInfo({ endpoint, instanceId, isAlive, isLeader }: Member): MemberInfo {
  const { LEADER, FOLLOWER } = gossip.MemberInfo.VNodeState;
  return new gossip.MemberInfo()
    .setInstanceId(uuidMessage(instanceId, 'string'))
    .setTimeStamp(`${BigInt(Date.now()) * 10_000n}`)
    .setState(isLeader ? LEADER : FOLLOWER)
    .setIsAlive(isAlive)
    .setHttpEndPoint(new gossip.EndPoint().setAddress(endpoint.host).setPort(endpoint.port));
}
