import type { Aggregate, Json } from '../shared/event.js';
import type { LoanProductEvent, LoanProductSettings, ProductStatus } from './events.js';

/** A loan product: the fold of events tagged `loan-product:<id>`. New products are inactive. */
export interface LoanProductState {
  readonly status: 'NONE' | ProductStatus;
  readonly version: number;
  readonly settings?: LoanProductSettings;
  /** Ids of the events that hold the settings of each version, from 1: loans keep the version they were asked for. */
  readonly versions: readonly string[];
}

export const loanProductAggregate: Aggregate<LoanProductState, LoanProductEvent> = {
  kind: 'loan-product',
  stateVersion: 1,
  initial: () => ({ status: 'NONE', version: 0, versions: [] }),
  evolve(state, event) {
    switch (event.type) {
      case 'loan-product-saved': {
        const { productVersion, settings } = event.data;
        return {
          status: state.status === 'NONE' ? 'INACTIVE' : state.status,
          version: productVersion,
          settings,
          versions: [...state.versions, event.id],
        };
      }
      case 'loan-product-status-set':
        return { ...state, status: event.data.to };
    }
  },
  toJson: (state) => state as unknown as Json,
  fromJson: (json) => json as unknown as LoanProductState,
};
